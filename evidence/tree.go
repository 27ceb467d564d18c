package evidence

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// A frontier is the right edge of a growing RFC 6962 tree: the roots of its
// perfect subtrees, largest first. It gives the root at every size on the way.
type frontier struct {
	n     int64
	peaks []tlog.Hash
}

// add appends the hash of a leaf.
func (f *frontier) add(h tlog.Hash) {
	for n := f.n; n&1 == 1; n >>= 1 {
		last := len(f.peaks) - 1
		h = tlog.NodeHash(f.peaks[last], h)
		f.peaks = f.peaks[:last]
	}
	f.peaks = append(f.peaks, h)
	f.n++
}

// root returns the root of the tree so far.
func (f *frontier) root() tlog.Hash {
	if f.n == 0 {
		return sha256.Sum256(nil)
	}
	h := f.peaks[len(f.peaks)-1]
	for i := len(f.peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.peaks[i], h)
	}
	return h
}

// A tileCheck compares the hash tiles of a log with what its entries hash to.
// The log's proofs are made from them.
type tileCheck struct {
	tiles tiles
	done  []int64       // full tiles so far, by level
	open  [][]tlog.Hash // hashes of the tile being filled, by level
}

// add appends the hash of a leaf and returns what is wrong with the tiles that
// it completes.
func (c *tileCheck) add(h tlog.Hash) []string {
	var wrong []string
	for level := 0; ; level++ {
		if level == len(c.open) {
			c.open, c.done = append(c.open, nil), append(c.done, 0)
		}
		c.open[level] = append(c.open[level], h)
		if len(c.open[level]) < tileWidth {
			return wrong
		}
		if w := c.compare(level); w != "" {
			wrong = append(wrong, w)
		}
		h = subtree(c.open[level])
		c.open[level] = c.open[level][:0]
		c.done[level]++
	}
}

// finish returns what is wrong with the tiles that are not full.
func (c *tileCheck) finish() []string {
	var wrong []string
	for level := range c.open {
		if len(c.open[level]) == 0 {
			continue
		}
		if w := c.compare(level); w != "" {
			wrong = append(wrong, w)
		}
	}
	return wrong
}

func (c *tileCheck) compare(level int) string {
	tile := tlog.Tile{H: tileHeight, L: level, N: c.done[level], W: len(c.open[level])}
	data, err := c.tiles.ReadTiles([]tlog.Tile{tile})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("the log's %s is missing", path(tile))
	}
	if err != nil {
		return fmt.Sprintf("the log's %s cannot be read: %v", path(tile), err)
	}
	var want []byte
	for _, h := range c.open[level] {
		want = append(want, h[:]...)
	}
	if !bytes.Equal(data[0], want) {
		return fmt.Sprintf("the log's %s does not hold the hashes of its entries: it was changed", path(tile))
	}
	return ""
}

// subtree returns the root over the hashes of a full tile.
func subtree(hashes []tlog.Hash) tlog.Hash {
	row := append([]tlog.Hash{}, hashes...)
	for len(row) > 1 {
		for i := 0; i < len(row); i += 2 {
			row[i/2] = tlog.NodeHash(row[i], row[i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0]
}
