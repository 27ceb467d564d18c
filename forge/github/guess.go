package github

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// A guess is what was last seen of a pull request: enough to ask the REST
// questions at the same time as the GraphQL ones. It is compared with the answer
// and never enters the facts, so a delivery may fill it.
type guess struct {
	headRepository string // owner/name
	headBranch     string
	head           change.SHA
	target         string
	merged         bool
	stacked        bool // REST was asked for the stack
}

// maxPerHead bounds how many pull requests are remembered for one commit.
const maxPerHead = 50

// guess remembers what a delivery says of a pull request.
func (f *Forge) guess(repo change.Repository, p payloadPull) {
	if p.Number <= 0 || !validName(p.Head.Repo.FullName) || p.Head.Ref == "" || p.Base.Ref == "" {
		return
	}
	ref := change.Ref{Repository: repo, Kind: change.PullRequest, Number: p.Number}
	was, _ := f.guesses.Get(ref.Key())
	f.guesses.Add(ref.Key(), guess{
		headRepository: p.Head.Repo.FullName, headBranch: p.Head.Ref, head: change.SHA(p.Head.SHA), target: p.Base.Ref,
		merged: p.Merged, stacked: was.stacked,
	})
	f.headIs(repo, p.Number, change.SHA(p.Head.SHA))
}

// headIs remembers which pull request a commit is the head of.
func (f *Forge) headIs(repo change.Repository, number int, head change.SHA) {
	if !head.Valid() {
		return
	}
	key := headKey{repo.ID, head}
	numbers, _ := f.heads.Get(key)
	if len(numbers) < maxPerHead && !slices.Contains(numbers, number) {
		f.heads.Add(key, append(slices.Clone(numbers), number))
	}
}

// byHead returns the pull requests whose head was seen at a commit.
func (f *Forge) byHead(repo change.Repository, head change.SHA) []int {
	numbers, _ := f.heads.Get(headKey{repo.ID, head})
	return slices.Clone(numbers)
}
