package github

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A floor is the policy of an organisation as its repository had it.
type floor struct {
	file   change.PolicyFile
	branch string // the default branch of the repository that keeps it
	why    string // why it cannot be read; empty where it can
}

// tipOf is the expression that names the tip of a repository's default branch.
const tipOf = "HEAD"

// checkFloors says what is wrong with the repositories that keep floors.
func checkFloors(repositories []string, file string) error {
	keeper := map[string]string{}
	for _, name := range repositories {
		if !validName(name) {
			return fmt.Errorf("github: %q is not a repository's name; write owner/name", name)
		}
		owner := ownerOfName(name)
		if other, twice := keeper[owner]; twice {
			return fmt.Errorf("github: %s and %s would both keep the floor of %s; name one of them", other, name, owner)
		}
		keeper[owner] = name
	}
	if file != path.Clean(file) || path.IsAbs(file) || file == "." || file == ".." || strings.HasPrefix(file, "../") {
		return fmt.Errorf("github: %q is not a file's path inside a repository", file)
	}
	return nil
}

// ownerOfName returns the owner in a repository's name, in lower case.
func ownerOfName(name string) string {
	owner, _, _ := strings.Cut(name, "/")
	return strings.ToLower(owner)
}

// keeper returns the name of the repository that keeps the floor of another's
// owner, or "" when there is none.
func (f *Forge) keeper(repository string) string {
	for _, name := range f.config.Floors {
		if ownerOfName(name) == ownerOfName(repository) {
			return name
		}
	}
	return ""
}

// withFloor adds the floor of the repository's organisation to what was gathered of
// a change. It is read at the tip of its repository's default branch and remembered
// until that branch moves. What moved that very branch is judged by the floor from
// before, as it is by the policy from before: read at the same commit.
func (f *Forge) withFloor(ctx context.Context, g change.Gathered) (change.Gathered, error) {
	keeper := f.keeper(g.Facts.Ref.Repository.Name)
	if keeper == "" {
		return g, nil
	}
	fl, err := f.floorAt(ctx, keeper, tipOf)
	if err != nil {
		return g, err
	}
	l, _ := g.Facts.Landing.Get()
	own := strings.EqualFold(keeper, g.Facts.Ref.Repository.Name) && fl.why == ""
	if own && l.Landed && l.Branch == fl.branch && g.Policy.Commit != fl.file.Commit && g.Policy.Commit.Valid() {
		if fl, err = f.floorAt(ctx, keeper, string(g.Policy.Commit)); err != nil {
			return g, err
		}
	}
	g.Policy.Floor = &fl.file
	if fl.why != "" {
		absent := reasons{}
		for fact, why := range g.Facts.Absent {
			absent[fact] = why
		}
		absent.set("floor", fl.why)
		g.Facts.Absent = absent
	}
	return g, nil
}

// floorAt returns the floor that a repository keeps, at a commit or at the tip of
// its default branch. That it cannot be read is an answer too.
func (f *Forge) floorAt(ctx context.Context, keeper, at string) (floor, error) {
	key := "floor " + strings.ToLower(keeper) + "@" + at
	return remember(ctx, f.answers, key, floorKey(ownerOfName(keeper)), func(ctx context.Context) (floor, error) {
		fl, err := f.readFloor(ctx, keeper, at)
		if err != nil && (refused(err) || errors.Is(err, change.ErrNotInstalled)) {
			fl.file = change.PolicyFile{Path: f.config.FloorPath}
			fl.why, err = because(keeper, err), nil
		}
		if err != nil {
			return fl, fmt.Errorf("asking for the floor in %s: %w", keeper, err)
		}
		return fl, nil
	})
}

// readFloor asks for the floor.
func (f *Forge) readFloor(ctx context.Context, keeper, at string) (floor, error) {
	a, err := f.installation(ctx, change.Repository{Forge: change.GitHub, Host: f.host, Name: keeper})
	if errors.Is(err, change.ErrNotInstalled) {
		return floor{}, final("the application is not installed there; install it, so that the floor can be read")
	}
	if err != nil {
		return floor{}, err
	}
	owner, name, _ := strings.Cut(keeper, "/")
	var answer struct {
		Repository *struct {
			NameWithOwner string `json:"nameWithOwner"`
			Default       *struct {
				Name string `json:"name"`
			} `json:"defaultBranchRef"`
			At *commitAt `json:"at"`
		} `json:"repository"`
	}
	errs, err := a.query(ctx, floorDocument, map[string]any{"owner": owner, "name": name, "at": at, "path": f.config.FloorPath}, &answer)
	repo := answer.Repository
	switch {
	case err != nil:
		return floor{}, err
	case len(errs) > 0:
		return floor{}, final("GitHub answered with an error: %s", words(errs))
	case repo == nil:
		return floor{}, final("GitHub does not show the repository")
	case !strings.EqualFold(repo.NameWithOwner, keeper):
		return floor{}, final("it is called %s now; name it so in the server's configuration", change.Quote(repo.NameWithOwner))
	}
	var fl floor
	if repo.Default != nil {
		fl.branch = repo.Default.Name
	}
	absent := reasons{}
	fl.file = f.fileAt(repo.NameWithOwner, f.config.FloorPath, repo.At, "floor", absent)
	fl.why = absent["floor"]
	return fl, nil
}

// aboutFloor reports whether an event says that a floor may be another now, or that
// it can or cannot be read any more.
func (f *Forge) aboutFloor(event string, p payload) bool {
	owner := ownerOf(p)
	if owner == "" || f.keeper(owner+"/") == "" {
		return false
	}
	keeper := f.keeper(owner + "/")
	switch event {
	case "push":
		branch, _ := strings.CutPrefix(p.Ref, "refs/heads/")
		trunk := p.Repository.DefaultBranch
		return strings.EqualFold(p.Repository.FullName, keeper) && (branch == trunk || trunk == "")
	case "repository":
		// After a rename the payload has the new name: whichever it was, ask again.
		return strings.EqualFold(p.Repository.FullName, keeper) || p.Action == "renamed" || p.Action == "transferred"
	case "installation", "installation_repositories", "installation_target":
		return true
	}
	return false
}
