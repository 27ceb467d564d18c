package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/countersign-dev/countersign/change"
)

// maxStarts bounds how often a gather begins anew because the head moved.
const maxStarts = 3

// errMoved ends one attempt of a gather.
var errMoved = errors.New("the head moved")

// Gather asks GitHub for every fact about a change and for the policy of its
// protected branch. When the head moves meanwhile it starts again, and after
// three starts returns ErrMoved. A fact that GitHub does not show is absent with
// its reason; a failure that may pass is an error, and a *RetryError when GitHub
// said, or we know, how long to wait.
func (f *Forge) Gather(ctx context.Context, ref change.Ref) (change.Gathered, error) {
	a, err := f.installation(ctx, ref.Repository)
	if err != nil {
		return change.Gathered{}, err
	}
	for range maxStarts {
		var g change.Gathered
		switch ref.Kind {
		case change.PullRequest:
			g, err = f.gatherPull(ctx, a, ref)
		case change.MergeGroup:
			g, err = f.gatherGroup(ctx, a, ref)
		case change.Push:
			g, err = f.gatherPush(ctx, a, ref)
		default:
			return g, fmt.Errorf("GitHub has no change of kind %s", change.Quote(string(ref.Kind)))
		}
		if err == nil {
			if g, err = f.withFloor(ctx, g); err == nil {
				return g, nil
			}
		}
		if !errors.Is(err, errMoved) {
			return change.Gathered{}, fmt.Errorf("gathering the facts of %s: %w", ref, err)
		}
	}
	return change.Gathered{}, fmt.Errorf("gathering the facts of %s: %w", ref, ErrMoved)
}

// policyFile returns the policy as a commit holds it. What stands there and
// cannot be read is found but empty, which no policy parser accepts; the reason
// is noted under "policy".
func (f *Forge) policyFile(repository string, at *commitAt, absent reasons) change.PolicyFile {
	return f.fileAt(repository, PolicyPath, at, "policy", absent)
}

// fileAt returns a policy as a commit holds it at a path, or notes under the fact
// why it cannot be read.
func (f *Forge) fileAt(repository, path string, at *commitAt, fact string, absent reasons) change.PolicyFile {
	out := change.PolicyFile{Path: path}
	if at == nil || !at.Oid.Valid() {
		absent.set(fact, "the protected branch does not exist")
		return out
	}
	out.Commit = at.Oid
	out.URI = fmt.Sprintf("%s/%s/blob/%s/%s", f.web, repository, at.Oid, path)
	if at.File == nil {
		return out
	}
	out.Found = true
	switch blob := at.File.Object; {
	case at.File.Type != "blob" || blob == nil:
		absent.set(fact, path+" is not a file")
	case blob.IsBinary || blob.Text == nil:
		absent.set(fact, path+" is not a text")
	case blob.IsTruncated:
		absent.set(fact, fmt.Sprintf("%s has %d bytes, more than GitHub shows in one piece", path, blob.ByteSize))
	case strings.ContainsRune(*blob.Text, utf8.RuneError):
		// A decoder puts U+FFFD for what is not UTF-8, and a record could not hold
		// what the policy really said.
		absent.set(fact, path+" is not UTF-8")
	default:
		out.Text = *blob.Text
	}
	return out
}

// maxDescription bounds the description that is matched for linked requests, in
// bytes.
const maxDescription = 64 << 10

func clip(s string) string {
	if len(s) > maxDescription {
		return s[:maxDescription]
	}
	return s
}
