package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"k8s.io/klog/v2"
)

// maxBatch is how many entries Tessera integrates at once. No group has as many,
// so that time alone ends a batch: see appender.batch.
const maxBatch = 2 * groupRecords

// appender appends to the transparency log.
type appender struct {
	add      tessera.AddFn
	age      time.Duration // of a batch, from its first entry on
	shutdown func(context.Context) error
	cancel   context.CancelFunc
}

// openAppender starts Tessera on dir. The caller has made sure that nobody else
// does (acquire) and that the log may be continued (guardLog).
func openAppender(dir string, keys Keys, batchAge, checkpointInterval time.Duration, log *slog.Logger) (*appender, error) {
	quiet.Do(func() { klog.SetSlogLogger(slog.New(atLeast{log.Handler(), slog.LevelWarn})) })
	signer, err := keys.noteSigner()
	if err != nil {
		return nil, err
	}
	// Tessera's work belongs to the ledger and not to the call that opened it:
	// ended early, it would leave callers waiting for their index for ever.
	ctx, cancel := context.WithCancel(context.Background())
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(maxBatch, batchAge).
		WithCheckpointInterval(checkpointInterval)
	a, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return &appender{add: a.Add, age: batchAge, shutdown: shutdown, cancel: cancel}, nil
}

// append hands leaves to the log in their order and returns the indexes of those
// that are durable: all of them, or those before the first that may not be, and
// why it may not. It has no context: a leaf that was handed over may still become
// durable, so nobody may act as if it had not.
func (a *appender) append(leaves []leaf) (indexes []uint64, err error) {
	entries := make([]*tessera.Entry, len(leaves))
	for i, l := range leaves {
		entries[i] = tessera.NewEntry(l.encode())
	}
	for len(indexes) < len(entries) && err == nil {
		var some []uint64
		some, err = a.batch(entries[len(indexes):])
		indexes = append(indexes, some...)
	}
	if err != nil {
		return indexes, fmt.Errorf("appending to the log: %w", err)
	}
	return indexes, nil
}

// errTorn says that the log has a leaf and not the one before it. Nothing may be
// appended any more: see appender.batch.
var errTorn = errors.New("the log took a record and lost the one before it; what it holds has to be looked at before anything is added")

// batch hands over as many of the entries as Tessera will integrate together, and
// waits for them.
//
// Of one batch Tessera keeps everything or nothing: it replaces its state once,
// when all else is written. Of two batches it would try the second though the first
// has failed, and then the log had a record whose predecessor it has not. Tessera
// ends a batch when its first entry has a certain age. So entries are handed over
// for half of that time at most, and the next only when all before are durable.
// Should this process not be let run for the other half within a single call, that
// entry may come into a batch of its own; only when then the disk fails the first
// batch and not the second would the log be torn, and that ends the ledger.
func (a *appender) batch(entries []*tessera.Entry) (indexes []uint64, err error) {
	var futures []tessera.IndexFuture
	for start := time.Now(); len(futures) < len(entries); {
		if len(futures) > 0 && time.Since(start) > a.age/2 {
			break
		}
		futures = append(futures, a.add(context.Background(), entries[len(futures)]))
	}
	for _, future := range futures {
		index, failed := future()
		switch {
		case failed != nil && err == nil:
			err = failed
		case failed == nil && (err != nil || len(indexes) > 0 && index.Index <= indexes[len(indexes)-1]):
			err = errors.Join(errTorn, err)
		case failed == nil:
			indexes = append(indexes, index.Index)
		}
	}
	return indexes, err
}

// closing bounds how long close waits for the last checkpoint.
const closing = time.Minute

// close waits until the log's first size entries stand under a signed
// checkpoint, those of an earlier process included, for which Tessera would not
// wait.
func (a *appender) close(ctx context.Context, size uint64, t tiles) error {
	defer a.cancel()
	ctx, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	if err := a.shutdown(ctx); err != nil {
		return fmt.Errorf("publishing the last checkpoint: %w", err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		signed, err := t.checkpoint()
		if err != nil {
			return err
		}
		// A checkpoint that cannot be read is being published for the first time.
		if n, err := sizeOf(signed); err == nil && n >= size {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("publishing the last checkpoint: %w", ctx.Err())
		}
	}
}

// quiet guards klog, which Tessera logs to and which knows one logger in a
// process, to be set once: the first ledger's. It is the one variable of this
// package that changes.
var quiet sync.Once

// atLeast passes on what is as grave as level.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}
