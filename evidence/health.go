package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// tooLate is how long a durable record may wait for its checkpoint before the
// ledger counts as unhealthy.
const tooLate = 10 * time.Second

// Health returns why the ledger should not be relied on, nil when nothing speaks
// against it: it is open, its last append succeeded, and the log keeps up with
// signing checkpoints. It reads two small files.
func (l *Ledger) Health() error {
	l.mu.Lock()
	closed, trouble := l.closed, errors.Join(l.torn, l.trouble)
	l.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if trouble != nil {
		return fmt.Errorf("the last record could not be written: %w", trouble)
	}
	signed, err := l.tiles.checkpoint()
	if err != nil {
		return err
	}
	if signed == nil {
		if l.Size() == 0 {
			return nil // the first checkpoint is on its way
		}
		return errors.New("the log has no checkpoint")
	}
	c, err := openCheckpoint(signed, l.config.Keys.public)
	if err != nil {
		return err
	}
	age, err := l.CheckpointAge()
	if err != nil {
		return err
	}
	if uint64(c.tree.N) < l.Size() && age > tooLate {
		return fmt.Errorf("the last checkpoint is %s old and %d records wait for the next", age.Round(time.Second), l.Size()-uint64(c.tree.N))
	}
	return nil
}

// CheckpointAge returns how long ago the last checkpoint was signed. Without new
// records a checkpoint is signed again every ten minutes.
func (l *Ledger) CheckpointAge() (time.Duration, error) {
	info, err := os.Stat(filepath.Join(l.tiles.dir, "checkpoint"))
	if err != nil {
		return 0, fmt.Errorf("looking at the checkpoint: %w", err)
	}
	return l.config.Now().Sub(info.ModTime()), nil
}

// Published waits until a signed checkpoint covers every record written so far.
func (l *Ledger) Published(ctx context.Context) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.working.Done()
	size := l.Size()
	if size == 0 {
		return nil
	}
	_, _, err := l.covering(ctx, int64(size)-1)
	return err
}

// note remembers how the last append went.
func (l *Ledger) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble = err
	if errors.Is(err, errTorn) {
		l.torn = err
	}
}
