package webhook

import (
	"fmt"
	"runtime/debug"
)

// A panicError is a bug in this program that ended a run. The stack is for the
// log; the message may be kept with the job.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// guard calls f and returns a panic of it as an error, so that it counts as a
// failed attempt and ends visibly like any other.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return f()
}
