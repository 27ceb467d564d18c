package evidence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// supersede makes a record the newest of its change, unless there is a newer one.
const supersede = `INSERT INTO newest (subject, idx, head, owner, state, allowed, change) VALUES (?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (subject) DO UPDATE SET idx = excluded.idx, head = excluded.head, owner = excluded.owner, state = excluded.state,
		allowed = excluded.allowed, change = excluded.change WHERE excluded.idx > newest.idx`

// supersede executes the statement of that name for r, and reports whether r is the
// newest record now and was not before.
func (r row) supersede(ctx context.Context, statement *sql.Stmt) (bool, error) {
	ref, err := json.Marshal(r.ref)
	if err != nil {
		return false, err
	}
	owner, _, _ := strings.Cut(r.ref.Repository.Name, "/")
	done, err := statement.ExecContext(ctx, r.subject, int64(r.receipt.Index), string(r.head), strings.ToLower(owner), string(r.state), r.allowed, string(ref))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// last returns the newest record of a change.
func (ix *index) last(ctx context.Context, subject string) (row, bool, error) {
	return ix.one(ctx, "records.subject = ? ORDER BY records.idx DESC LIMIT 1", subject)
}

// lastProposed returns the newest record of a change that says it had not landed.
func (ix *index) lastProposed(ctx context.Context, subject string) (row, bool, error) {
	return ix.one(ctx, "records.subject = ? AND records.state NOT IN (?, '') ORDER BY records.idx DESC LIMIT 1",
		subject, string(change.LandedState))
}

// standing returns the newest record of every change that was last judged at a
// commit.
func (ix *index) standing(ctx context.Context, head string) ([]row, error) {
	return ix.rows(ctx, "newest.head = ? AND newest.idx = records.idx ORDER BY records.idx", head)
}

// open returns the newest records of changes that had neither landed nor been
// closed, of one owner or, with "", of all.
func (ix *index) open(ctx context.Context, owner string) ([]row, error) {
	return ix.rows(ctx, "newest.idx = records.idx AND newest.state IN (?, ?, '') AND (? = '' OR newest.owner = ?) ORDER BY records.idx",
		string(change.Open), string(change.Draft), owner, owner)
}

// byDigest returns the record with the given digest.
func (ix *index) byDigest(ctx context.Context, digest string) (row, bool, error) {
	return ix.one(ctx, "digest = ? LIMIT 1", digest)
}

func (ix *index) one(ctx context.Context, where string, args ...any) (row, bool, error) {
	rows, err := ix.rows(ctx, where, args...)
	if err != nil || len(rows) == 0 {
		return row{}, false, err
	}
	return rows[0], true, nil
}

func (ix *index) rows(ctx context.Context, where string, args ...any) (list []row, err error) {
	query, err := ix.prepared(ctx, `SELECT records.idx, digest, chain, ref, n, records.subject, records.head, records.state, at,
		fingerprint, judgement, change FROM records JOIN newest ON newest.subject = records.subject WHERE `+where)
	if err != nil {
		return nil, fmt.Errorf("asking the index: %w", err)
	}
	found, err := query.QueryContext(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("asking the index: %w", err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		r, err := scan(found)
		if err != nil {
			return nil, fmt.Errorf("asking the index: %w", err)
		}
		list = append(list, r)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("asking the index: %w", err)
	}
	return list, nil
}

func scan(found *sql.Rows) (r row, err error) {
	var at int64
	var ref string
	if err := found.Scan(&r.receipt.Index, &r.receipt.Digest, &r.chain, &r.receipt.Chain, &r.receipt.N, &r.subject, &r.head,
		&r.state, &at, &r.fingerprint, &r.judgement, &ref); err != nil {
		return r, err
	}
	r.at = time.UnixMilli(at).UTC()
	return r, json.Unmarshal([]byte(ref), &r.ref)
}
