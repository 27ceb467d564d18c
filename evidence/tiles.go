package evidence

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A bundle of the log holds this many entries, a tile as many hashes.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tiles reads the files of a log laid out as C2SP tlog-tiles. It reads what is
// there and trusts none of it: what it returns is hashed by the caller.
type tiles struct {
	dir string
}

var _ tlog.TileReader = tiles{}

// Height returns the height of a tile.
func (tiles) Height() int { return tileHeight }

// SaveTiles does nothing: the files are the log's.
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles returns the hashes of each tile.
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		var err error
		if data[i], err = t.read(tile, tlog.HashSize*tileWidth); err != nil {
			return nil, err
		}
		if len(data[i]) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %s is too short", path(tile))
		}
		data[i] = data[i][:tile.W*tlog.HashSize]
	}
	return data, nil
}

// read returns the file of a tile. A partial tile that is gone is looked for in
// the full one, which has replaced it.
func (t tiles) read(tile tlog.Tile, most int64) ([]byte, error) {
	data, err := readBounded(filepath.Join(t.dir, path(tile)), most)
	if tile.W < tileWidth && errors.Is(err, fs.ErrNotExist) {
		tile.W = tileWidth
		data, err = readBounded(filepath.Join(t.dir, path(tile)), most)
	}
	return data, err
}

// path returns the path of a tile, which in C2SP tlog-tiles lacks the height and
// calls the entries by that name.
func path(tile tlog.Tile) string {
	p := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if rest, data := strings.CutPrefix(p, "data/"); data {
		p = "entries/" + rest
	}
	return filepath.FromSlash("tile/" + p)
}

// entries returns the entries of bundle n, of which the log of the given size
// has width.
func (t tiles) entries(n int64, width int) ([][]byte, error) {
	data, err := t.read(tlog.Tile{H: tileHeight, L: -1, N: n, W: width}, tileWidth*(2+maxLeaf))
	if err != nil {
		return nil, fmt.Errorf("reading entries %d to %d of the log: %w", n*tileWidth, n*tileWidth+int64(width)-1, err)
	}
	list, err := splitBundle(data, width)
	if err != nil {
		return nil, fmt.Errorf("reading entries %d to %d of the log: %w", n*tileWidth, n*tileWidth+int64(width)-1, err)
	}
	return list, nil
}

// splitBundle splits the first width entries off a bundle: each is preceded by
// its length, 16 bits, most significant byte first.
func splitBundle(data []byte, width int) ([][]byte, error) {
	list := make([][]byte, 0, width)
	for len(list) < width {
		if len(data) < 2 {
			return nil, fmt.Errorf("the bundle ends after %d entries", len(list))
		}
		size := int(binary.BigEndian.Uint16(data))
		if len(data)-2 < size {
			return nil, fmt.Errorf("the bundle ends within entry %d", len(list))
		}
		list = append(list, data[2:2+size])
		data = data[2+size:]
	}
	return list, nil
}

// widthOf returns how many entries bundle n has in a log of the given size.
func widthOf(n, size int64) int { return int(min(tileWidth, size-n*tileWidth)) }

// treeState returns what Tessera has integrated, signed or not, and whether its
// state is there at all.
func (t tiles) treeState() (tree tlog.Tree, there bool, err error) {
	data, err := readBounded(filepath.Join(t.dir, ".state", "treeState"), maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return tlog.Tree{}, false, nil
	}
	if err != nil {
		return tlog.Tree{}, false, fmt.Errorf("reading the state of the log: %w", err)
	}
	var state struct {
		Size int64  `json:"size"`
		Root []byte `json:"root"`
	}
	if err := json.Unmarshal(data, &state); err != nil || state.Size < 0 || len(state.Root) != tlog.HashSize {
		return tlog.Tree{}, false, fmt.Errorf("reading the state of the log: %s is damaged", filepath.Join(t.dir, ".state", "treeState"))
	}
	return tlog.Tree{N: state.Size, Hash: tlog.Hash(state.Root)}, true, nil
}

// checkpoint returns the signed checkpoint as it lies there, nil when there is none.
func (t tiles) checkpoint() ([]byte, error) {
	data, err := readBounded(filepath.Join(t.dir, "checkpoint"), maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint of the log: %w", err)
	}
	return data, nil
}

// agrees checks that the tiles on the right edge of tree hash to its root.
func (t tiles) agrees(tree tlog.Tree) error {
	if tree.N == 0 {
		return nil
	}
	root, err := tlog.TreeHash(tree.N, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			tile := tlog.TileForIndex(tileHeight, index)
			tile.W = int(min(tileWidth, tree.N>>(tile.L*tileHeight)-tile.N*tileWidth))
			data, err := t.ReadTiles([]tlog.Tile{tile})
			if err != nil {
				return nil, err
			}
			if hashes[i], err = tlog.HashFromTile(tile, data[0], index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	}))
	if err != nil {
		return fmt.Errorf("computing the root of the log at %d entries: %w", tree.N, err)
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles of the log do not hash to its root at %d entries: they were changed", tree.N)
	}
	return nil
}
