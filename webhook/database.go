package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/countersign-dev/countersign/internal/dirlock"
)

// A database is the file queue.sqlite, opened twice. SQLite has one writer at a
// time, so one connection writes and others wait for it in Go rather than in
// busy loops; readers do not wait for it.
type database struct {
	lock  *os.File
	write *sql.DB
	read  *sql.DB
	load  *sql.Stmt // reads one delivery; prepared because every job does
}

// openDatabase takes the lock of dir, opens the database in it and brings the
// inbox's table up to date.
func openDatabase(ctx context.Context, dir string) (*database, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the data directory: %w", err)
	}
	// Two servers on one queue would each take the other's running jobs for those of
	// a dead process.
	held, err := dirlock.Acquire(filepath.Join(dir, "LOCK-queue"))
	if err != nil {
		return nil, err
	}
	db := &database{lock: held}
	if err := db.open(ctx, filepath.Join(dir, "queue.sqlite")); err != nil {
		db.close()
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	return db, nil
}

// open opens path. The file is made before SQLite makes it, because SQLite gives
// its -wal and -shm files the mode that the database has.
func (db *database) open(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// River compares times as text, some of which it writes in the local zone:
	// one zone and one format make them comparable.
	const both = "_pragma=busy_timeout(5000)&_timezone=UTC&_time_format=sqlite"
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + both
	if db.write, err = sql.Open("sqlite", name+"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=journal_size_limit(67108864)"); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	if err := migrate(ctx, db.write); err != nil {
		return err
	}
	if db.read, err = sql.Open("sqlite", name+"&mode=ro"); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(2)
	db.load, err = db.read.PrepareContext(ctx, `SELECT id, event, received_at, body FROM deliveries WHERE row = ?`)
	return err
}

// close closes what is open. The lock goes last.
func (db *database) close() error {
	var errs []error
	if db.load != nil {
		errs = append(errs, db.load.Close())
	}
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if err := errors.Join(append(errs, db.lock.Close())...); err != nil {
		return fmt.Errorf("closing the queue: %w", err)
	}
	return nil
}

// versions are the steps to the tables of today, the first made by version 1.
// River keeps its own count of its own tables in the same file.
func versions() []string {
	return []string{`
		CREATE TABLE deliveries (
			row         INTEGER PRIMARY KEY,
			id          TEXT NOT NULL UNIQUE,
			event       TEXT NOT NULL,
			received_at INTEGER NOT NULL, -- milliseconds since 1970-01-01 UTC
			body        BLOB              -- NULL once it was dropped
		) STRICT;
		CREATE INDEX deliveries_with_body ON deliveries (received_at) WHERE body IS NOT NULL;
		CREATE TABLE probe (
			one  INTEGER PRIMARY KEY CHECK (one = 1),
			body BLOB NOT NULL
		) STRICT;`,
	}
}

// migrate brings our tables up to date, one transaction for each version. Tables
// of a later version are refused, because this one would misread them.
func migrate(ctx context.Context, db *sql.DB) error {
	steps := versions()
	var at int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&at); err != nil {
		return fmt.Errorf("reading the version of the tables: %w", err)
	}
	if at > len(steps) {
		return fmt.Errorf("the tables are of version %d, and this server knows up to %d", at, len(steps))
	}
	for ; at < len(steps); at++ {
		// PRAGMA takes no parameters; the number is ours.
		step := steps[at] + fmt.Sprintf("; PRAGMA user_version = %d", at+1)
		if err := inTx(ctx, db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, step)
			return err
		}); err != nil {
			return fmt.Errorf("making version %d of the tables: %w", at+1, err)
		}
	}
	return nil
}

// inTx runs f in a transaction that is committed when f returns nil.
func inTx(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect after Commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
