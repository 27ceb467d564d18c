package github

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of what is read about the rules of one branch.
const (
	maxRulePages = 10
	maxRulesets  = 50
)

// enforced returns the rules that GitHub enforces on a branch, of every level,
// and who may bypass them. The answer is cached; an edit of a ruleset drops it.
// Classic branch protection is not read: it needs "administration: read".
func (f *Forge) enforced(ctx context.Context, a *api, repo change.Repository, branch string) (change.Enforcement, error) {
	owner, _, _ := strings.Cut(repo.Name, "/")
	key := fmt.Sprintf("rules %d %s", repo.ID, branch)
	return remember(ctx, f.answers, key, rulesKey(owner), func(ctx context.Context) (change.Enforcement, error) {
		rules, err := a.rules(ctx, repo.Name, branch)
		if err != nil {
			return change.Enforcement{}, err
		}
		bypass, err := a.bypass(ctx, repo.Name, rules)
		return change.Enforcement{Rules: rules, Bypass: bypass}, err
	})
}

func (a *api) rules(ctx context.Context, repository, branch string) ([]change.Rule, error) {
	rules := []change.Rule{}
	for n := 1; n <= maxRulePages; n++ {
		var raw []json.RawMessage
		path := fmt.Sprintf("repos/%s/rules/branches/%s?per_page=100&page=%d", repository, url.PathEscape(branch), n)
		if _, err := a.get(ctx, path, &raw); err != nil {
			return nil, err
		}
		for _, r := range raw {
			rule, err := readRule(r)
			if err != nil {
				return nil, err
			}
			rules = append(rules, rule)
		}
		if len(raw) < 100 {
			slices.SortFunc(rules, func(a, b change.Rule) int {
				return cmp.Or(cmp.Compare(a.Ruleset, b.Ruleset), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Digest, b.Digest))
			})
			return rules, nil
		}
	}
	return nil, final("more than %d rules hold the branch", maxRulePages*100)
}

// readRule reads one rule of any type, also one that does not exist yet.
func readRule(raw json.RawMessage) (change.Rule, error) {
	var r struct {
		Type       string `json:"type"`
		Source     string `json:"ruleset_source"`
		Ruleset    int64  `json:"ruleset_id"`
		Parameters struct {
			Checks []struct {
				Context     string `json:"context"`
				Integration int64  `json:"integration_id"`
			} `json:"required_status_checks"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return change.Rule{}, fmt.Errorf("reading a rule: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return change.Rule{}, fmt.Errorf("reading a rule: %w", err)
	}
	sum := sha256.Sum256(compact.Bytes())
	out := change.Rule{Type: r.Type, Source: r.Source, Ruleset: r.Ruleset, Digest: hex.EncodeToString(sum[:])}
	for _, c := range r.Parameters.Checks {
		out.Checks = append(out.Checks, change.Pinned{Name: c.Context, AppID: c.Integration})
	}
	return out, nil
}

// bypass returns who may go around the rulesets behind the rules. GitHub leaves
// the list out for whoever may not edit the ruleset; then the fact is absent.
func (a *api) bypass(ctx context.Context, repository string, rules []change.Rule) (change.Fact[[]change.BypassActor], error) {
	none := change.Fact[[]change.BypassActor]{}
	var ids []int64
	for _, r := range rules {
		if r.Ruleset > 0 && !slices.Contains(ids, r.Ruleset) {
			ids = append(ids, r.Ruleset)
		}
	}
	if len(ids) > maxRulesets {
		return none, nil
	}
	answers := make([]*[]change.BypassActor, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, id := range ids {
		group.Go(func() (err error) {
			answers[i], err = a.bypassOf(ctx, repository, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return none, err
	}
	var all []change.BypassActor
	for _, some := range answers {
		if some == nil {
			return none, nil
		}
		all = append(all, *some...)
	}
	slices.SortFunc(all, func(a, b change.BypassActor) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Mode, b.Mode))
	})
	return change.Known(slices.Compact(all)), nil
}

// bypassOf returns the actors of one ruleset, or nil when GitHub does not tell.
func (a *api) bypassOf(ctx context.Context, repository string, id int64) (*[]change.BypassActor, error) {
	var answer struct {
		Actors *[]struct {
			Type string `json:"actor_type"`
			ID   int64  `json:"actor_id"`
			Mode string `json:"bypass_mode"`
		} `json:"bypass_actors"`
	}
	_, err := a.get(ctx, fmt.Sprintf("repos/%s/rulesets/%d?includes_parents=true", repository, id), &answer)
	switch {
	case err != nil && refused(err):
		return nil, nil
	case err != nil:
		return nil, err
	case answer.Actors == nil:
		return nil, nil
	}
	actors := []change.BypassActor{}
	for _, one := range *answer.Actors {
		actors = append(actors, change.BypassActor{Type: one.Type, ID: one.ID, Mode: one.Mode})
	}
	return &actors, nil
}
