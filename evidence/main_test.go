package evidence

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(writeUntilKilled(dir))
	}
	os.Exit(m.Run())
}

const origin = "log.countersign.test"

// testKeys returns keys made of a seed, the same ones every time.
func testKeys(t testing.TB, seed string) Keys {
	t.Helper()
	keys, err := keysFrom(seed)
	require.NoError(t, err)
	return keys
}

func keysFrom(seed string) (Keys, error) {
	scalar := sha256.Sum256([]byte("record " + seed))
	record, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		return Keys{}, err
	}
	logSeed := sha256.Sum256([]byte("log " + seed))
	return NewKeys(record, ed25519.NewKeyFromSeed(logSeed[:]), origin)
}

// counter is randomness that is the same every time.
type counter struct{ n uint64 }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		p[i] = sum[0]
	}
	return len(p), nil
}

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// open opens a ledger that is closed when the test ends, if it was not before.
func open(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), testConfig(t, dir))
	require.NoError(t, err)
	t.Cleanup(func() { shut(t, l) })
	return l
}

func testConfig(t testing.TB, dir string) Config {
	return Config{Dir: dir, Keys: testKeys(t, "a"), BatchAge: time.Millisecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func shut(t testing.TB, l *Ledger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, l.Close(ctx))
}

func record(t testing.TB, l *Ledger, e Entry) change.Receipt {
	t.Helper()
	r, err := l.Record(context.Background(), e)
	require.NoError(t, err)
	return r
}

// sha returns a git object id made of a name.
func sha(name string) change.SHA {
	sum := sha256.Sum256([]byte(name))
	return change.SHA(fmt.Sprintf("%x", sum[:20]))
}

var shop = change.Repository{Forge: change.GitHub, Host: "github.com", ID: 1296269, Name: "acme/shop"}

const floorText = "version: 1\nchanges:\n  - branches: [\"**\"]\n    peer-review: {approvals: 1}\n"

const policyText = "version: 1\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n"

var policyFile = change.PolicyFile{
	Found: true, URI: "https://github.com/acme/shop/blob/" + string(sha("main")) + "/.countersign.yml",
	Path: ".countersign.yml", Commit: sha("main"), Text: policyText,
}

// judge is a small policy of the tests' own: a change needs an approval on its
// head by a human who is not its opener.
func judge(f change.Facts, p change.PolicyFile) change.Decision {
	r := change.Result{Control: peerReview, Status: change.Pending, Reason: "0 of 1 independent approvals", Criteria: map[string][]string{"soc2": {"CC8.1"}}}
	if !p.Found {
		r.Status, r.Reason = change.Undetermined, "there is no policy"
	}
	for _, rv := range f.Reviews.Or(nil) {
		if p.Found && rv.State == change.Approved && rv.By != f.Opener.Or(rv.By) && rv.Commit == f.Head.Or(change.Head{}).Commit && f.People[rv.By].Kind == change.Human {
			r.Status = change.Pass
			r.Reason = change.Text("approved by " + rv.By.Mark())
			r.Facts = append(r.Facts, fmt.Sprintf("reviews/%d", rv.ID))
		}
	}
	d := change.Decision{Status: r.Status, Rule: "changes[0]", Owner: "platform-team", Results: []change.Result{r}}
	if p.Floor != nil {
		d.Notes = []change.Text{change.Text(fmt.Sprintf("a floor of %d bytes held as well", len(p.Floor.Text)))}
	}
	return d
}

// pull returns the facts of a pull request that ada opened and nobody reviewed.
func pull(number int) change.Facts {
	name := fmt.Sprint("pull ", number)
	return change.Facts{
		Ref:        change.Ref{Repository: shop, Kind: change.PullRequest, Number: number},
		GatheredAt: morning.Add(time.Duration(number) * time.Minute),
		People: change.People{
			"p1": {Kind: change.Human, Account: "github:101", Login: "ada", Name: "Ada Example"},
			"p2": {Kind: change.Human, Account: "github:102", Login: "grace"},
			"p3": {Kind: change.Unknown, Name: "L. Example", Email: "linus@mail.example"},
		},
		Title: "Round prices <up>", URL: fmt.Sprintf("https://github.com/acme/shop/pull/%d", number),
		State: change.Known(change.Open), Opener: change.Known(change.Person("p1")), Opened: morning,
		Head: change.Known(change.Head{Branch: "prices", Commit: sha(name), Tree: sha(name + " tree"), Repository: shop.ID}),
		Base: change.Known(change.Base{Branch: "main", Target: "main", Commit: sha("main"), MergeBase: sha("main")}),
		Commits: change.Known([]change.Commit{{
			SHA: sha(name), Tree: sha(name + " tree"), Parents: []change.SHA{sha("main")}, Author: "p1", CoAuthors: []change.Person{"p3"},
			ByForge: true, Authored: morning, Committed: morning,
		}}),
		Pushes:  change.Known([]change.BranchPush{{By: "p1", After: sha(name), At: morning}}),
		Reviews: change.Known([]change.Review{}),
		Checks: change.Known([]change.Check{{ID: 7, Name: "test", Source: change.CheckRun, AppID: 15368, App: "github-actions",
			Commit: sha(name), Status: "completed", Conclusion: change.Success}}),
		Enforced: change.Known(change.Enforcement{Rules: []change.Rule{{Type: "required_status_checks", Ruleset: 9,
			Checks: []change.Pinned{{Name: ourCheck, AppID: 4711}}}}, Bypass: change.Known([]change.BypassActor{})}),
	}
}

// approved adds an approval by grace on the head.
func approved(f change.Facts) change.Facts {
	head := f.Head.Or(change.Head{})
	f.Reviews = change.Known([]change.Review{{ID: 80, By: "p2", State: change.Approved, Commit: head.Commit, Tree: head.Tree, At: f.GatheredAt}})
	return f
}

// merged lets grace merge a change by squashing, which moves main from before.
func merged(f change.Facts, before change.SHA) change.Facts {
	head := f.Head.Or(change.Head{})
	f.State = change.Known(change.LandedState)
	f.Landing = change.Known(change.Landing{Landed: true, By: "p2", How: change.Squash, Branch: "main", Before: before,
		Commit: sha("landed " + string(head.Commit)), Tree: head.Tree, At: f.GatheredAt})
	return f
}

// on moves a change to another protected branch.
func on(branch string, f change.Facts) change.Facts {
	b := f.Base.Or(change.Base{})
	b.Branch, b.Target = branch, branch
	f.Base = change.Known(b)
	return f
}

func entry(f change.Facts) Entry {
	return Entry{Facts: f, Policy: policyFile, Decision: judge(f.Canonical(), policyFile)}
}
