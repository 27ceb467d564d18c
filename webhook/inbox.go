package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/countersign-dev/countersign/change"
)

// An inbox stores deliveries, each with the job that works it.
type inbox struct {
	db     *database
	client *river.Client[*sql.Tx]
	wake   func() // called after new jobs were committed
	count  *backlog

	arrivals chan *arrival

	head  *headStart
	start func(*begun) // works a delivery as far as it needs no job
}

// An arrival is a delivery on its way to the disk.
type arrival struct {
	delivery change.Delivery
	at       time.Time
	stored   chan error // takes one answer: nil, errDuplicate or what the disk said
	begun    *begun     // nil where only the job works it
}

// errDuplicate says that a delivery with this id was stored before.
var errDuplicate = errors.New("the delivery is stored already")

// A commit takes about a millisecond however much is in it, so deliveries that
// arrive during one share the next. These bound how many do, and how many bytes.
const (
	batchDeliveries = 64
	batchBytes      = 4 << 20
)

// store returns nil once the delivery and its job are on disk, and errDuplicate
// when they were already. When ctx ends first nobody knows, and the forge has to
// deliver again.
func (in *inbox) store(ctx context.Context, d change.Delivery, at time.Time) error {
	a := &arrival{delivery: d, at: at, stored: make(chan error, 1)}
	select {
	case in.arrivals <- a:
	case <-ctx.Done():
		return fmt.Errorf("waiting to store the delivery: %w", ctx.Err())
	}
	select {
	case err := <-a.stored:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the delivery to be stored: %w", ctx.Err())
	}
}

// run stores what arrives until stop is closed.
func (in *inbox) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case a := <-in.arrivals:
			in.commit(in.batch(a))
		}
	}
}

// batch returns first and what else has arrived by now.
func (in *inbox) batch(first *arrival) []*arrival {
	batch, size := []*arrival{first}, len(first.delivery.Body)
	for len(batch) < batchDeliveries && size < batchBytes {
		select {
		case a := <-in.arrivals:
			batch, size = append(batch, a), size+len(a.delivery.Body)
		default:
			return batch
		}
	}
	return batch
}

// storeTimeout bounds one commit. The forge waits 10 s for its answer.
const storeTimeout = 8 * time.Second

// commit stores a batch and answers each of it. When it can not be stored as a
// whole, each delivery is tried alone: a large one must not take small ones down
// with it when the disk is nearly full.
func (in *inbox) commit(batch []*arrival) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	results, err := in.insert(ctx, batch)
	if err != nil && len(batch) > 1 {
		for _, a := range batch {
			in.commit([]*arrival{a})
		}
		return
	}
	if err == nil {
		for _, a := range batch {
			in.head.begin(a.begun, stored{Delivery: a.delivery, at: a.at}, in.start)
		}
		in.wake()
	}
	for i, a := range batch {
		if err != nil {
			a.stored <- err
		} else {
			a.stored <- results[i]
		}
	}
}

// insert stores a batch in one transaction and returns, for each, nil or
// errDuplicate.
func (in *inbox) insert(ctx context.Context, batch []*arrival) ([]error, error) {
	results := make([]error, len(batch))
	var counted int
	err := inTx(ctx, in.db.write, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx,
			`INSERT INTO deliveries (id, event, received_at, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING row`)
		if err != nil {
			return err
		}
		defer insert.Close()
		var jobs []river.InsertManyParams
		for i, a := range batch {
			row, err := insertDelivery(ctx, insert, a)
			if errors.Is(err, errDuplicate) {
				results[i] = err
				continue
			}
			if err != nil {
				return err
			}
			a.begun = in.head.reserve(row)
			jobs = append(jobs, river.InsertManyParams{Args: deliveryArgs{Row: row}})
		}
		if len(jobs) == 0 {
			return nil
		}
		counted = len(jobs)
		in.count.add(counted) // before the commit, after which they may end at any time
		_, err = in.client.InsertManyFastTx(ctx, tx, jobs)
		return err
	})
	if err != nil {
		in.count.add(-counted)
		for _, a := range batch {
			in.head.cancel(a.begun)
			a.begun = nil
		}
		return nil, fmt.Errorf("storing deliveries: %w", err)
	}
	return results, nil
}

// insertDelivery returns the number of the new row.
func insertDelivery(ctx context.Context, insert *sql.Stmt, a *arrival) (row int64, err error) {
	err = insert.QueryRowContext(ctx, a.delivery.ID, a.delivery.Event, a.at.UnixMilli(), a.delivery.Body).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errDuplicate
	}
	return row, err
}

// A stored delivery is one read back from the inbox.
type stored struct {
	change.Delivery
	at time.Time
}

// load returns the delivery of a row.
func (in *inbox) load(ctx context.Context, row int64) (stored, error) {
	var s stored
	var at int64
	err := in.db.load.QueryRowContext(ctx, row).Scan(&s.ID, &s.Event, &at, &s.Body)
	if err != nil {
		return stored{}, fmt.Errorf("reading delivery row %d: %w", row, err)
	}
	s.at = time.UnixMilli(at)
	return s, nil
}

// probeBytes is the size of a usual delivery.
const probeBytes = 32 << 10

// probe stores as much as a usual delivery and removes it again, to know that one
// could be stored: a full disk lets small writes through for long.
func (in *inbox) probe(ctx context.Context) error {
	_, err := in.db.write.ExecContext(ctx, `INSERT OR REPLACE INTO probe (one, body) VALUES (1, zeroblob(?))`, probeBytes)
	if err == nil {
		_, err = in.db.write.ExecContext(ctx, `DELETE FROM probe`)
	}
	if err != nil {
		return fmt.Errorf("writing to the queue's database: %w", err)
	}
	return nil
}

// pruneBatch bounds how long deliveries have to wait while bodies are dropped.
const pruneBatch = 200

// prune drops the bodies of deliveries received before a time, except those that
// still have to be worked, and returns how many. SQLite uses their space again.
func (in *inbox) prune(ctx context.Context, before time.Time) (dropped int64, err error) {
	for {
		result, err := in.db.write.ExecContext(ctx, `
			UPDATE deliveries SET body = NULL WHERE row IN (
				SELECT row FROM deliveries
				WHERE received_at < ? AND body IS NOT NULL AND row NOT IN (
					SELECT json_extract(args, '$.row') FROM river_job WHERE state IN `+unfinished+` AND json_extract(args, '$.row') IS NOT NULL)
				LIMIT ?)`, before.UnixMilli(), pruneBatch)
		if err != nil {
			return dropped, fmt.Errorf("dropping old bodies: %w", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return dropped, fmt.Errorf("dropping old bodies: %w", err)
		}
		dropped += n
		if n < pruneBatch {
			return dropped, nil
		}
	}
}
