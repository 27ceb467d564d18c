package gate

import "fmt"

// A panicError is a bug in this program that ended a run.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string {
	return fmt.Sprintf("assessment panicked: %v\n%s", p.value, p.stack)
}
