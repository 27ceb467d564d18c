package webhook

import (
	"context"
	"database/sql"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// A driver is River's SQLite driver whose notifications come from this process.
// River's own write them to a table and poll it every 50 ms, for the sake of
// other processes; the lock sees to it that there are none.
type driver struct {
	*riversqlite.Driver
	wake wake
}

var _ riverdriver.Driver[*sql.Tx] = (*driver)(nil)

func newDriver(db *sql.DB) *driver {
	return &driver{Driver: riversqlite.New(db), wake: make(wake, 1)}
}

// GetListener returns the listener that wake wakes.
func (d *driver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener { return d.wake }

// SupportsListenNotify is false so that inserts do not write notifications.
func (d *driver) SupportsListenNotify() bool { return false }

// A wake tells River's producer that there are new jobs. River calls this
// interface unstable: should its meaning change, jobs are still found by polling,
// and TestWake says so.
type wake chan struct{}

// call wakes the producer. It is for after a commit; calls that it has not yet
// noticed are one.
func (w wake) call() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// WaitForNotification returns when there are new jobs.
func (w wake) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-w:
		return &riverdriver.Notification{Topic: "river_insert", Payload: `{"queue":"` + queueName + `"}`}, nil
	}
}

// There is no connection, so there is nothing to do about it.

func (wake) Connect(context.Context) error          { return nil }
func (wake) Close(context.Context) error            { return nil }
func (wake) Ping(context.Context) error             { return nil }
func (wake) Listen(context.Context, string) error   { return nil }
func (wake) Unlisten(context.Context, string) error { return nil }
func (wake) Schema() string                         { return "" }
func (wake) SetAfterConnectExec(string)             {}
