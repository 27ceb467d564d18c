package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// content is all that a statement states. The statement is a function of it, so
// a verifier can derive the statement again and compare.
type content struct {
	recordID  string
	n         uint64
	prev      string // digest of the record before; empty for the first
	recorded  time.Time
	facts     change.Facts // canonical, people withheld
	policy    change.PolicyFile
	judgement change.Decision
}

// contentOf returns what s states.
func contentOf(s Statement) content {
	p := s.Predicate
	return content{
		recordID: p.RecordID, n: p.Sequence.N, prev: p.Sequence.Prev["sha256"],
		recorded: p.Times.RecordedAt, facts: p.Facts, judgement: p.Judgement,
		policy: p.Policy.file(),
	}
}

// statement derives the statement.
func (c content) statement() Statement {
	where := placeOf(c.facts)
	p := Predicate{
		RecordID:       c.recordID,
		Sequence:       Sequence{Ref: where.ref, N: c.n, Before: where.before, After: where.after},
		Change:         changedOf(c.facts),
		People:         c.facts.People,
		Roles:          rolesOf(c.facts, c.judgement),
		Approvals:      approvalsOf(c.facts, c.judgement),
		Checks:         checksOf(c.facts),
		MergeTransform: transformOf(c.facts),
		ReviewCoverage: coverageOf(c.facts, c.judgement),
		Enforcement:    enforcementOf(c.facts, c.judgement),
		Controls:       controlsOf(c.judgement),
		Policy:         policyOf(c.policy),
		Decision:       c.judgement.Verdict(),
		Outcome:        c.judgement.Status,
		Evidence:       []struct{}{},
		Times:          timesOf(c.facts, c.recorded),
		Facts:          c.facts,
		Judgement:      c.judgement,
	}
	if c.prev != "" {
		p.Sequence.Prev = map[string]string{"sha256": c.prev}
	}
	return Statement{Type: StatementType, Subject: subjectOf(c.facts), PredicateType: ChangeRecord, Predicate: p}
}

// policyOf returns a policy file, with the floor it carries, as a statement has it.
func policyOf(f change.PolicyFile) Policy {
	p := Policy{Found: f.Found, URI: f.URI, Path: f.Path, Commit: f.Commit, Digest: sha256Digest([]byte(f.Text)), Text: f.Text}
	if f.Floor != nil {
		floor := policyOf(*f.Floor)
		p.Floor = &floor
	}
	return p
}

// file returns the policy file that a statement states.
func (p Policy) file() change.PolicyFile {
	f := change.PolicyFile{Found: p.Found, URI: p.URI, Path: p.Path, Commit: p.Commit, Text: p.Text}
	if p.Floor != nil {
		floor := p.Floor.file()
		f.Floor = &floor
	}
	return f
}

// tip returns the commit and tree that a record is about: what landed, or
// otherwise the head that was judged.
func tip(f change.Facts) (commit, tree change.SHA) {
	if l, known := f.Landing.Get(); known && l.Landed && l.Commit.Valid() {
		return l.Commit, l.Tree
	}
	if h, known := f.Head.Get(); known && h.Commit.Valid() {
		return h.Commit, h.Tree
	}
	if f.Ref.Commit.Valid() {
		return f.Ref.Commit, ""
	}
	return "", ""
}

func subjectOf(f change.Facts) []Subject {
	repo := "https://" + f.Ref.Repository.Host + "/" + f.Ref.Repository.Name
	page := repo + "/commit/"
	if f.Ref.Repository.Forge == change.GitLab {
		page = repo + "/-/commit/"
	}
	refs := []string{placeOf(f).ref}
	// The SLSA source specification says sourceRefs, its tool source_refs.
	annotations := map[string][]string{"sourceRefs": refs, "source_refs": refs}
	commit, tree := tip(f)
	if commit == "" {
		// A change that could not be gathered is recorded all the same. A subject has
		// to have a digest: here it is of the key that the annotation spells out.
		annotations["change"] = []string{f.Ref.Key()}
		return []Subject{{Name: "git+" + repo, URI: f.URL, Digest: sha256Digest([]byte(f.Ref.Key())), Annotations: annotations}}
	}
	subject := []Subject{{Name: "git+" + repo, URI: page + string(commit), Digest: commitDigest(commit), Annotations: annotations}}
	if tree.Valid() {
		subject = append(subject, Subject{Name: "tree", Digest: map[string]string{"gitTree": string(tree)}})
	}
	return subject
}

// commitDigest names a commit in both ways verifiers ask for; a SHA-256
// repository's commit has no SHA-1.
func commitDigest(c change.SHA) map[string]string {
	d := map[string]string{"gitCommit": string(c)}
	if len(c) == 40 {
		d["sha1"] = string(c)
	}
	return d
}

func sha256Digest(data []byte) map[string]string {
	sum := sha256.Sum256(data)
	return map[string]string{"sha256": hex.EncodeToString(sum[:])}
}

func object(kind string, id change.SHA) *Object {
	if !id.Valid() {
		return nil
	}
	return &Object{Digest: map[string]string{kind: string(id)}}
}

func changedOf(f change.Facts) Changed {
	c := Changed{
		Forge: f.Ref.Repository.Forge, Host: f.Ref.Repository.Host, RepoID: f.Ref.Repository.ID, Repository: f.Ref.Repository.Name,
		Kind: string(f.Ref.Kind), Number: f.Ref.Number, Title: f.Title, URL: f.URL,
		Tickets: append([]change.Request{}, f.Requests.Or(nil)...),
	}
	if l, known := f.Landing.Get(); known && f.Ref.Kind == change.Push && l.How != "" {
		c.Kind = l.How
	}
	return c
}

func rolesOf(f change.Facts, d change.Decision) Roles {
	r := Roles{Requester: requesterOf(f, d), CommitAuthors: []change.Person{}}
	for _, c := range f.Commits.Or(nil) {
		for _, p := range append([]change.Person{c.Author}, c.CoAuthors...) {
			if p != "" && !slices.Contains(r.CommitAuthors, p) {
				r.CommitAuthors = append(r.CommitAuthors, p)
			}
		}
	}
	slices.SortFunc(r.CommitAuthors, byNumber)
	if pushes := f.Pushes.Or(nil); len(pushes) > 0 {
		r.LastPusher = pushes[len(pushes)-1].By // canonical order is by time
	}
	if l := f.Landing.Or(change.Landing{}); l.Landed {
		r.Merger = l.By
	}
	return r
}

// byNumber orders p2 before p10.
func byNumber(a, b change.Person) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func checksOf(f change.Facts) []CheckRun {
	checks := []CheckRun{}
	for _, c := range f.Checks.Or(nil) {
		checks = append(checks, CheckRun{Name: c.Name, AppID: c.AppID, Source: c.Source, OverCommit: c.Commit, Status: c.Status, Conclusion: c.Conclusion})
	}
	return checks
}

func controlsOf(d change.Decision) []Control {
	controls := []Control{}
	for _, r := range d.Results {
		controls = append(controls, Control{ID: r.Control, Result: r.Status, Frameworks: r.Criteria, Why: r.Reason})
	}
	return controls
}

func timesOf(f change.Facts, recorded time.Time) Times {
	t := Times{ObservedAt: f.GatheredAt, RecordedAt: recorded, Sources: map[string]string{"observedAt": "server clock", "recordedAt": "server clock"}}
	if l := f.Landing.Or(change.Landing{}); l.Landed && !l.At.IsZero() {
		t.ForgeMergedAt = l.At
		t.Sources["forgeMergedAt"] = fmt.Sprintf("%s, %s", f.Ref.Repository.Forge, f.Ref.Repository.Host)
	}
	return t
}
