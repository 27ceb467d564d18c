package evidence

import (
	"context"
	"errors"

	"github.com/transparency-dev/tessera"
)

// failing reports a failure for every append, having appended or not.
func failing(add tessera.AddFn, appends bool) tessera.AddFn {
	return func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
		return func() (tessera.Index, error) {
			if appends {
				if _, err := add(ctx, e)(); err != nil {
					return tessera.Index{}, err
				}
			}
			return tessera.Index{}, errors.New("disk on fire")
		}
	}
}

// holding says that an append has started and appends once held is closed.
func holding(add tessera.AddFn, started chan<- struct{}, held <-chan struct{}) tessera.AddFn {
	return func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
		return func() (tessera.Index, error) {
			close(started)
			<-held
			return add(ctx, e)()
		}
	}
}
