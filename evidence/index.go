package evidence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/change"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// indexVersion is the version of the schema below, kept as user_version.
const indexVersion = 1

// schema holds one row for each leaf of the log. Everything in it is read from
// log, records and disclosures, so it can be deleted; but while it is there it
// also remembers how far the log had come.
const schema = `
CREATE TABLE IF NOT EXISTS records (
	idx         INTEGER PRIMARY KEY,  -- index in the log
	digest      TEXT    NOT NULL,
	chain       TEXT    NOT NULL,     -- see place.chain
	ref         TEXT    NOT NULL,     -- the protected ref
	n           INTEGER NOT NULL,
	subject     TEXT    NOT NULL,     -- change.Ref.Key
	head        TEXT    NOT NULL,     -- the commit that was judged
	state       TEXT    NOT NULL,     -- of the change: see stateOf
	at          INTEGER NOT NULL,     -- when it was recorded, Unix milliseconds
	fingerprint TEXT    NOT NULL,     -- empty when people were erased before it could be computed
	judgement   BLOB    NOT NULL,     -- JSON of change.Decision
	UNIQUE (chain, n)
);
CREATE INDEX IF NOT EXISTS records_subject ON records (subject, idx);

-- The newest record of each change, for what is asked about changes as they stand.
CREATE TABLE IF NOT EXISTS newest (
	subject TEXT    PRIMARY KEY,
	idx     INTEGER NOT NULL,
	head    TEXT    NOT NULL,
	owner   TEXT    NOT NULL,     -- of the repository, in lower case
	state   TEXT    NOT NULL,
	allowed INTEGER NOT NULL,     -- whether the change was let through
	change  TEXT    NOT NULL      -- JSON of change.Ref
);
CREATE INDEX IF NOT EXISTS newest_head ON newest (head);
CREATE INDEX IF NOT EXISTS newest_allowed ON newest (allowed, state, owner);

-- The change requests that were looked up for the newest record of each change.
CREATE TABLE IF NOT EXISTS linked (
	request TEXT NOT NULL,  -- one of change.RequestID.Names
	subject TEXT NOT NULL,
	PRIMARY KEY (request, subject)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS linked_subject ON linked (subject);
`

// A row is what the index holds of one record.
type row struct {
	receipt     change.Receipt
	chain       string
	subject     string
	ref         change.Ref
	allowed     bool
	head        change.SHA
	state       change.State
	at          time.Time
	fingerprint string
	judgement   []byte
	requests    []string // names of the change requests that were looked up
}

// index is the projection of the log that answers what the ledger asks often.
type index struct {
	db *sql.DB

	mu       sync.Mutex
	prepares map[string]*sql.Stmt // by their texts, of which this package has a few
}

// prepared returns a statement that is read once and not with every question.
func (ix *index) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if s, ok := ix.prepares[text]; ok {
		return s, nil
	}
	s, err := ix.db.PrepareContext(ctx, text)
	if err == nil {
		ix.prepares[text] = s
	}
	return s, err
}

// openIndex opens or makes the index. It is flushed when SQLite sees fit and not
// with every row: what a power cut takes is read from the log again.
func openIndex(ctx context.Context, path string) (*index, error) {
	// SQLite would let everybody on the machine read what it makes.
	made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	if err := made.Close(); err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	db.SetMaxOpenConns(1) // SQLite has one writer, and our reads are short
	ix := &index{db: db, prepares: map[string]*sql.Stmt{}}
	if err := ix.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return ix, nil
}

func (ix *index) migrate(ctx context.Context) error {
	var version int
	if err := ix.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("opening the index (if it is damaged, delete index.sqlite to have it rebuilt from the log): %w", err)
	}
	if version != 0 && version != indexVersion {
		return fmt.Errorf("the index has version %d, this program knows %d: use the program that wrote it, or delete the index to have it rebuilt", version, indexVersion)
	}
	if _, err := ix.db.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", indexVersion)); err != nil {
		return fmt.Errorf("making the index: %w", err)
	}
	return nil
}

func (ix *index) close() error { return ix.db.Close() }

// seen returns how many leaves the log had at least when the index was last written.
func (ix *index) seen(ctx context.Context) (int64, error) {
	var n int64
	if err := ix.db.QueryRowContext(ctx, "SELECT coalesce(max(idx)+1, 0) FROM records").Scan(&n); err != nil {
		return 0, fmt.Errorf("asking the index for its size: %w", err)
	}
	return n, nil
}

// firstMissing returns the lowest index of the log that has no row. Chains write
// their rows independently, so a crash can leave holes.
func (ix *index) firstMissing(ctx context.Context) (int64, error) {
	const whole = "SELECT count(*), coalesce(max(idx)+1, 0) FROM records"
	var rows, size int64
	if err := ix.db.QueryRowContext(ctx, whole).Scan(&rows, &size); err != nil {
		return 0, fmt.Errorf("asking the index for its size: %w", err)
	}
	if rows == size {
		return size, nil
	}
	const hole = `SELECT CASE WHEN EXISTS (SELECT 1 FROM records WHERE idx = 0) THEN
		(SELECT min(a.idx)+1 FROM records a LEFT JOIN records b ON b.idx = a.idx+1 WHERE b.idx IS NULL) ELSE 0 END`
	var n int64
	if err := ix.db.QueryRowContext(ctx, hole).Scan(&n); err != nil {
		return 0, fmt.Errorf("asking the index for its first hole: %w", err)
	}
	return n, nil
}

// insert writes rows in one transaction. A row that is there already stays,
// because the same leaf gives the same row; two records that claim one number of
// a chain are an error.
func (ix *index) insert(ctx context.Context, rows ...row) error {
	tx, err := ix.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	defer tx.Rollback() // has no effect after a commit
	add, err := tx.PrepareContext(ctx, `INSERT INTO records (idx, digest, chain, ref, n, subject, head, state, at, fingerprint, judgement)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (idx) DO NOTHING`)
	if err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	defer add.Close()
	supersede, err := tx.PrepareContext(ctx, supersede)
	if err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	defer supersede.Close()
	for _, r := range rows {
		_, err := add.ExecContext(ctx,
			int64(r.receipt.Index), r.receipt.Digest, r.chain, r.receipt.Chain, int64(r.receipt.N), r.subject, string(r.head), string(r.state),
			r.at.UnixMilli(), r.fingerprint, r.judgement)
		if err != nil {
			return fmt.Errorf("writing record %d of the chain %s to the index: %w", r.receipt.N, r.chain, err)
		}
		newest, err := r.supersede(ctx, supersede)
		if err == nil && newest {
			err = r.link(ctx, tx)
		}
		if err != nil {
			return fmt.Errorf("writing record %d of the chain %s to the index: %w", r.receipt.N, r.chain, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	return nil
}

// head returns the number and digest of the last record of a chain, zero and
// empty when it has none.
func (ix *index) head(ctx context.Context, chain string) (n uint64, digest string, err error) {
	query, err := ix.prepared(ctx, "SELECT n, digest FROM records WHERE chain = ? ORDER BY n DESC LIMIT 1")
	if err == nil {
		err = query.QueryRowContext(ctx, chain).Scan(&n, &digest)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("asking the index for the end of the chain %s: %w", chain, err)
	}
	return n, digest, nil
}

// which returns those of the records that the index has.
func (ix *index) which(ctx context.Context, digests []string) (_ map[string]bool, err error) {
	wanted, err := encode(digests)
	if err != nil {
		return nil, err
	}
	found, err := ix.db.QueryContext(ctx, "SELECT digest FROM records WHERE digest IN (SELECT value FROM json_each(?))", string(wanted))
	if err != nil {
		return nil, fmt.Errorf("asking the index for records: %w", err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	there := map[string]bool{}
	for found.Next() {
		var digest string
		if err := found.Scan(&digest); err != nil {
			return nil, fmt.Errorf("asking the index for records: %w", err)
		}
		there[digest] = true
	}
	return there, found.Err()
}
