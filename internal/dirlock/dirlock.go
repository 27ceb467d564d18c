//go:build unix

// Package dirlock keeps a directory for one opener.
package dirlock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrTaken is wrapped by what Acquire returns when another opener holds the lock.
var ErrTaken = errors.New("in use by another process")

// Acquire locks the file at path, which it makes when it is not there, until the
// returned file is closed or the process ends, however it ends. An flock belongs to
// the open file, so it refuses a second opener in the same process too.
//
// A lock that is taken is tried for again for a second: a process that this one
// has just forked holds it until it executes its own program.
func Acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a lock: %w", err)
	}
	if err := try(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// The number is for the message of the next one alone; the lock is what counts.
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing a lock: %w", err), f.Close())
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing a lock: %w", err), f.Close())
	}
	return f, nil
}

// The waits between tries.
const (
	pause = 50 * time.Millisecond
	tries = 20
)

func try(f *os.File) error {
	for n := 1; ; n++ {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		case n == tries:
			return fmt.Errorf("%s is %w, %s", f.Name(), ErrTaken, holder(f))
		}
		time.Sleep(pause)
	}
}

// holder returns what the lock says of its holder.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0) // io.EOF is expected; an unreadable lock names nobody
	if s := strings.TrimSpace(string(b[:n])); s != "" {
		return "number " + s
	}
	return "which does not say its number"
}
