package evidence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockFileName is the file whose lock a Ledger holds while it is open.
const lockFileName = "LOCK"

// acquire locks dir for this Ledger alone. Tessera's own locks belong to the
// process and not to the opener: two ledgers on one directory in one process
// would lose entries and give the same index twice. An flock belongs to the open
// file, so it refuses the second ledger wherever it is.
func acquire(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFileName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", f.Name(), err), f.Close())
		}
		return nil, errors.Join(fmt.Errorf("%s is in use by process %s: only one ledger can write to a directory", dir, holder(f)), f.Close())
	}
	// The number is for the message above alone; the lock is what counts.
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the lock: %w", err), f.Close())
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the lock: %w", err), f.Close())
	}
	return f, nil
}

// holder returns what the lock says of its holder.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0) // io.EOF is expected; an unreadable lock names nobody
	if s := strings.TrimSpace(string(b[:n])); s != "" {
		return s
	}
	return "unknown"
}
