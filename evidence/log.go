package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"k8s.io/klog/v2"
)

// maxBatch is how many entries Tessera integrates at once: one bundle.
const maxBatch = tileWidth

// appender appends to the transparency log.
type appender struct {
	add      tessera.AddFn
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
	return &appender{add: a.Add, shutdown: shutdown, cancel: cancel}, nil
}

// append returns the index of a leaf once the leaf is durable. It has no
// context: a leaf that was handed over may still become durable, so nobody may
// act as if it had not.
func (a *appender) append(l leaf) (uint64, error) {
	index, err := a.add(context.Background(), tessera.NewEntry(l.encode()))()
	if err != nil {
		return 0, fmt.Errorf("appending to the log: %w", err)
	}
	return index.Index, nil
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
