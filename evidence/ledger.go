package evidence

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/dirlock"
)

// Config is what a Ledger needs.
type Config struct {
	// Dir is the directory of the ledger. It is made when it is not there; its
	// parent has to exist.
	Dir string
	// Keys sign the records and the log.
	Keys Keys
	// Origin is the name of the log, a host name. Optional: the one in Keys.
	Origin string
	// BatchAge is how long the log waits, from the first leaf of a group on, for the
	// others. Records that come while a group is being written need not be waited
	// for: they are the next group. Optional: 2 ms.
	BatchAge time.Duration
	// CheckpointInterval is how often at most a new checkpoint is signed, 100 ms
	// or more. Records are durable before that; proofs need the checkpoint.
	// Optional: 100 ms.
	CheckpointInterval time.Duration
	// Log takes what is worth telling the operator. Optional: slog.Default().
	Log *slog.Logger
	// Now is the clock. Optional: time.Now.
	Now func() time.Time
	// Rand draws salts and record ids; it need not be safe for concurrent use.
	// Optional: crypto/rand.Reader. Signatures never draw from it.
	Rand io.Reader
}

func (c *Config) complete() error {
	if c.Dir == "" || c.Keys.record == nil {
		return errors.New("a ledger needs a directory and keys")
	}
	if c.Origin != "" && c.Origin != c.Keys.public.origin {
		return fmt.Errorf("the origin of the log is configured as %s, but the keys are of %s", c.Origin, c.Keys.public.origin)
	}
	if c.BatchAge <= 0 {
		c.BatchAge = 2 * time.Millisecond
	}
	if c.CheckpointInterval <= 0 {
		c.CheckpointInterval = 100 * time.Millisecond
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	c.Rand = &lockedReader{r: c.Rand}
	return nil
}

// lockedReader lets several goroutines read from r.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// A Ledger writes records. It is safe for concurrent use, and the only one that
// writes to its directory.
type Ledger struct {
	config Config
	lock   *os.File
	log    *appender
	tiles  tiles
	bodies *bodies
	index  *index

	line     line
	chains   chains
	catching sync.Mutex  // held while the index is caught up
	behind   atomic.Bool // the log may have leaves that the index has not
	size     atomic.Uint64

	mu      sync.Mutex // guards the following
	closed  bool
	trouble error // why the last append failed, nil when it did not
	torn    error // errTorn, once it has happened: nothing is written any more
	working sync.WaitGroup
}

// lockFileName is the file whose lock a Ledger holds while it is open.
const lockFileName = "LOCK"

// Open opens the ledger in config.Dir, or makes it. It refuses a directory that
// another ledger has open, that belongs to other keys, or whose log has lost its
// end, and it reads into the index what a crash kept from it.
func Open(ctx context.Context, config Config) (_ *Ledger, err error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("opening a ledger: %w", err)
	}
	if err := makeDir(config.Dir); err != nil {
		return nil, fmt.Errorf("opening a ledger: %w", err)
	}
	l := &Ledger{config: config, tiles: tiles{dir: filepath.Join(config.Dir, "log")}, bodies: newBodies(config.Dir), chains: chains{}}
	// The lock comes first: until it is held, nothing there may be looked at.
	// Tessera's own locks belong to the process and not to the opener: two ledgers on
	// one directory in one process would lose entries and give the same index twice.
	if l.lock, err = dirlock.Acquire(filepath.Join(config.Dir, lockFileName)); err != nil {
		return nil, fmt.Errorf("opening a ledger: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("opening a ledger: %w", err), l.release())
		}
	}()
	if l.index, err = openIndex(ctx, filepath.Join(config.Dir, "index.sqlite")); err != nil {
		return nil, err
	}
	if err := l.guard(ctx); err != nil {
		return nil, err
	}
	if err := l.tidy(ctx); err != nil {
		return nil, err
	}
	l.log, err = openAppender(l.tiles.dir, config.Keys, config.BatchAge, config.CheckpointInterval, config.Log)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// guard refuses a directory that must not be continued.
func (l *Ledger) guard(ctx context.Context) error {
	public := l.config.Keys.public
	known, err := checkPublic(l.config.Dir, public)
	if err != nil {
		return err
	}
	seen, err := l.index.seen(ctx)
	if err != nil {
		return err
	}
	tree, err := guardLog(l.tiles, public, seen)
	if err != nil {
		return err
	}
	if known {
		return nil
	}
	if tree.N > 0 {
		return fmt.Errorf("the public keys in %s are missing, but there are %d records: restore them", filepath.Join(l.config.Dir, "keys"), tree.N)
	}
	return writePublic(l.config.Dir, public)
}

// tidy ends what a crash or a failed append has left half done: the index is
// caught up with the log, and with it the bodies that wait for their place are put
// there when the log has their leaves, and otherwise removed.
func (l *Ledger) tidy(ctx context.Context) error {
	if err := l.catchUp(ctx); err != nil {
		return err
	}
	staged, err := l.bodies.staged()
	if err != nil || len(staged) == 0 {
		return err
	}
	logged, err := l.index.which(ctx, staged)
	if err != nil {
		return err
	}
	for _, digest := range staged {
		if logged[digest] {
			err = l.bodies.place(digest)
		} else {
			err = l.bodies.drop(digest)
		}
		if err != nil {
			return fmt.Errorf("tidying up after the last process: %w", err)
		}
	}
	l.config.Log.InfoContext(ctx, "records of the last process put in their place", "unfinished", len(staged)-len(logged), "finished", len(logged))
	return nil
}

// release gives up what a ledger holds beside the log.
func (l *Ledger) release() error {
	var err error
	if l.index != nil {
		err = l.index.close()
	}
	return errors.Join(err, l.lock.Close())
}

// Close waits for the records under way, has the last checkpoint signed and
// gives the directory up. When ctx ends before that, the directory stays locked
// until the process ends, because something may still be written to it.
func (l *Ledger) Close(ctx context.Context) error {
	l.mu.Lock()
	already := l.closed
	l.closed = true
	l.mu.Unlock()
	if already {
		return nil
	}
	idle := make(chan struct{})
	go func() {
		l.working.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		return fmt.Errorf("closing the ledger: records are still being written: %w", ctx.Err())
	}
	if err := l.log.close(ctx, l.Size(), l.tiles); err != nil {
		return fmt.Errorf("closing the ledger: %w", errors.Join(err, l.release()))
	}
	if err := l.release(); err != nil {
		return fmt.Errorf("closing the ledger: %w", err)
	}
	return nil
}

// Public returns the public keys that the ledger writes with.
func (l *Ledger) Public() Public { return l.config.Keys.public }

// Size returns how many records there are.
func (l *Ledger) Size() uint64 { return l.size.Load() }

// Latest is the newest record of a change.
type Latest struct {
	Ref     change.Ref
	Receipt change.Receipt
	// Fingerprint is the Fingerprint of what was recorded, or empty when it is not
	// known any more because people of the record were erased.
	Fingerprint string
	Decision    change.Decision
	Head        change.SHA   // the commit that was judged
	State       change.State // where the change was in its life; "" when nothing could be gathered of it
	At          time.Time    // when it was recorded
}

// ErrClosed is returned by a ledger that was closed.
var ErrClosed = errors.New("the ledger is closed")

// enter notes that a call uses the ledger; the caller has to call working.Done.
func (l *Ledger) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.working.Add(1)
	return nil
}

// whole returns why nothing may be appended any more, nil while something may.
func (l *Ledger) whole() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.torn
}
