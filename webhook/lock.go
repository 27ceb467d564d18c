//go:build unix

package webhook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked is returned by New when another server uses the data directory.
var ErrLocked = errors.New("another server is using this data directory")

// lock takes the lock of the data directory, which is held until the returned
// file is closed or the process ends, however it ends. Two servers on one queue
// would each take the other's running jobs for those of a dead process.
func lock(dir string) (*os.File, error) {
	path := filepath.Join(dir, "LOCK-queue")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the queue: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", path, ErrLocked)
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return f, nil
}
