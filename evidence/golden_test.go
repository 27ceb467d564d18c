package evidence

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// goldenRecords lie at the root of the module, because they are a promise of the
// whole of it: a byte that changes here breaks every record that was ever signed.
const goldenRecords = "../testdata/records"

// push returns the facts of a push to main by linus that no change explains.
func push() change.Facts {
	after, before := sha("pushed"), sha("c1")
	return change.Facts{
		Ref:        change.Ref{Repository: shop, Kind: change.Push, Branch: "main", Commit: after, Before: before},
		GatheredAt: morning.Add(time.Hour),
		People:     change.People{"p1": {Kind: change.Human, Account: "github:103", Login: "linus"}},
		Landing: change.Known(change.Landing{Landed: true, By: "p1", How: change.DirectPush, Branch: "main", Before: before,
			Commit: after, Tree: sha("pushed tree"), At: morning.Add(59 * time.Minute)}),
		Absent: map[string]string{"enforced": "the forge answered 403"},
	}
}

// dismissed lets ada dismiss grace's approval, after linus has asked for changes.
func dismissed(f change.Facts) change.Facts {
	f = approved(f)
	rv := f.Reviews.Or(nil)[0]
	rv.State = change.Dismissed
	rv.Dismissal = &change.Dismissal{By: "p1", At: f.GatheredAt.Add(-time.Minute), Was: change.Approved}
	f.Reviews = change.Known([]change.Review{rv, {ID: 81, By: "p3", State: change.ChangesRequested, Commit: rv.Commit, At: f.GatheredAt}})
	return f
}

// ticketed links a change to a request that linus made, and to one that the tracker
// does not have.
func ticketed(f change.Facts) change.Facts {
	f.Requests = change.Known([]change.Request{{Key: "SHOP-7", Found: "title"}, {Key: "SHOP-8", Found: "branch"}})
	linus := change.Identity{Kind: change.Human, Account: "github:103", Login: "linus"}
	asked := f.GatheredAt.Add(-48 * time.Hour)
	return f.WithTickets(map[change.Lookup]change.Answer{
		{Tracker: change.Jira, Key: "SHOP-8"}: {},
		{Tracker: change.Jira, Key: "SHOP-7"}: {Issue: &change.Issue{
			Snapshot: change.Snapshot{Body: "Customers want <baskets>.", Created: asked, ID: "10042", Key: "DESK-7", State: "In Progress",
				Title: "Baskets", Tracker: change.Jira, Type: "Story"},
			URL:   "https://acme.atlassian.net/browse/DESK-7",
			Moves: []change.Move{{At: asked.Add(time.Hour), From: "To Do", To: "In Progress"}}, Requester: linus,
			Creator: change.Identity{Kind: change.Human, Account: change.NewJiraAccountID("5b10ac8d82e05b22cc7d4ef5"), Name: "Help Desk"},
		}},
	})
}

func goldenEntries() map[string]Entry {
	bypass := entry(push())
	used := change.Result{Control: noBypass, Status: change.Fail, Reason: "pushed by " + change.Text(change.Person("p1").Mark()) + " past the rules"}
	bypass.Decision.Results = append(bypass.Decision.Results, used)
	bypass.Decision.Status = change.Fail
	gitlab := pull(4)
	gitlab.Ref.Kind = change.MergeRequest
	gitlab.Ref.Repository = change.Repository{Forge: change.GitLab, Host: "gitlab.example", ID: 7, Name: "group/sub/shop"}
	lost := Entry{Facts: change.Facts{Ref: pull(6).Ref, GatheredAt: morning, People: change.People{}, Absent: map[string]string{"change": "the forge answered 502"}}}
	lost.Decision = judge(lost.Facts, lost.Policy)
	none := Entry{Facts: pull(5)}
	none.Decision = judge(none.Facts.Canonical(), none.Policy)
	floored := entry(approved(pull(7)))
	floored.Policy.Floor = &change.PolicyFile{
		Found: true, URI: "https://github.com/acme/governance/blob/" + string(sha("floor")) + "/.countersign.yml", Path: ".countersign.yml",
		Commit: sha("floor"), Text: floorText,
	}
	floored.Facts.ByFloor = change.People{}
	for p, id := range floored.Facts.People {
		floored.Facts.ByFloor[p] = id.Withhold("")
	}
	floored.Decision = judge(floored.Facts, floored.Policy)
	asked := entry(ticketed(approved(pull(8))))
	return map[string]Entry{
		"pull-request-request":   asked,
		"pull-request-floor":     floored,
		"pull-request-pending":   entry(pull(1)),
		"pull-request-approved":  entry(approved(pull(1))),
		"pull-request-merged":    entry(merged(approved(pull(1)), sha("main"))),
		"pull-request-dismissed": entry(dismissed(pull(2))),
		"pull-request-no-policy": none,
		"direct-push":            bypass,
		"not-gathered":           lost,
		"merge-request-gitlab":   entry(gitlab),
	}
}

// With a fixed clock, fixed randomness and a fixed signature a record has the
// same bytes for ever. An ECDSA signature is random by nature, so the leaf is
// frozen with a stand-in for it.
func TestGoldenRecords(t *testing.T) {
	for name, e := range goldenEntries() {
		t.Run(name, func(t *testing.T) {
			e.Facts = e.Facts.Canonical()
			s, opened, err := compose(e, 7, "00000000000000000000000000000000000000000000000000000000000000ff", morning.Add(2*time.Hour), &counter{})
			require.NoError(t, err)
			payload, err := encode(s)
			require.NoError(t, err)
			disclosures, err := opened.encodeFile()
			require.NoError(t, err)
			envelope := Envelope{PayloadType: PayloadType, Payload: payload, KeyID: testKeys(t, "a").public.keyID, Signature: []byte("stands in for a signature")}

			path := filepath.Join(goldenRecords, name+".golden")
			if *update {
				require.NoError(t, os.WriteFile(path, txtar.Format(&txtar.Archive{
					Comment: []byte("The bytes of a record, frozen. See TestGoldenRecords.\n"),
					Files: []txtar.File{
						{Name: "statement.json", Data: append(payload, '\n')},
						{Name: "disclosures.json", Data: append(disclosures, '\n')},
						{Name: "leaf.json", Data: append(leafOf(envelope, testKeys(t, "a").public.spki).encode(), '\n')},
						{Name: "digest", Data: []byte(envelope.Digest() + "\n")},
						{Name: "fingerprint", Data: []byte(Fingerprint(e) + "\n")},
					},
				}), 0o644))
				return
			}
			golden, err := txtar.ParseFile(path)
			require.NoError(t, err)
			frozen := map[string]string{}
			for _, f := range golden.Files {
				frozen[f.Name] = string(f.Data)
			}
			require.Equal(t, frozen["statement.json"], string(payload)+"\n")
			require.Equal(t, frozen["disclosures.json"], string(disclosures)+"\n")
			require.Equal(t, frozen["leaf.json"], string(leafOf(envelope, testKeys(t, "a").public.spki).encode())+"\n")
			require.Equal(t, frozen["digest"], envelope.Digest()+"\n")
			require.Equal(t, frozen["fingerprint"], Fingerprint(e)+"\n")

			// What was once written is read, follows from itself, and is judged the same.
			old, err := ParseStatement(payload)
			require.NoError(t, err)
			field, same := follows(payload, contentOf(old).statement())
			require.True(t, same, field)
			if name != "direct-push" { // its bypass was put there by hand
				require.Equal(t, old.Predicate.Judgement, judge(contentOf(old).facts, contentOf(old).policy))
			}
		})
	}
}

// Every kind of record goes through a real ledger as well.
func TestGoldenEntriesVerify(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for _, e := range goldenEntries() {
		record(t, l, e)
	}
	shut(t, l)
	v, err := Verify(context.Background(), dir, Options{})
	require.NoError(t, err)
	requireOK(t, v)
	require.Len(t, v.Notes, 1) // that nothing was judged again
}
