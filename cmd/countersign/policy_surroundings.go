package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/forge/github"
	"github.com/countersign-dev/countersign/policy"
)

// Bounds of what is asked for one policy.
const (
	maxAccountsAsked = 200
	maxBranchesAsked = 20 // of those that the policy names, the default branch first
)

// A surveyor asks GitHub whether the things that a policy names are there.
type surveyor struct {
	ctx      context.Context
	survey   *github.Survey
	policy   *policy.Policy
	around   *policy.Surroundings
	unasked  []string // what could not be asked, and why
	accounts int
}

// surroundings asks GitHub about what a policy names. What cannot be asked is left
// out, and returned as reasons.
func (c *command) surroundings(ctx context.Context, forge *github.Forge, repository, checkName string, p *policy.Policy) (*policy.Surroundings, []string, error) {
	survey, err := forge.Survey(ctx, repository)
	if err != nil {
		return nil, nil, exit(undecided, "looking at %s: %w", repository, err)
	}
	s := &surveyor{ctx: ctx, survey: survey, policy: p, around: &policy.Surroundings{
		Repository: survey.Name(), CheckName: checkName, Teams: map[change.Selector]policy.Team{}, Accounts: map[change.AccountID]policy.Account{},
		Runs: map[string][]policy.Ran{}, Workflows: map[string]map[string]bool{}, Pins: map[string]change.Fact[[]policy.Required]{},
		Owners: map[string]policy.OwnersFile{},
	}}
	s.people()
	s.branches()
	return s.around, s.unasked, ctx.Err()
}

// ask notes why something could not be asked, and reports whether it could.
func (s *surveyor) ask(err error) bool {
	var retry *github.RetryError
	switch {
	case err == nil:
		return true
	case errors.As(err, &retry):
		err = fmt.Errorf("%w; ask again later", err)
	}
	for _, why := range s.unasked {
		if why == err.Error() {
			return false
		}
	}
	s.unasked = append(s.unasked, err.Error())
	return false
}

// people asks about the teams and accounts that the policy names.
func (s *surveyor) people() {
	for _, selectors := range s.policy.Roles {
		for _, selector := range selectors {
			if name, is := strings.CutPrefix(string(selector), "team:"); is {
				s.team(selector, name)
			} else if id, is := strings.CutPrefix(string(selector), "user:"); is {
				s.account(change.AccountID(id))
			}
		}
	}
	for _, c := range s.policy.Classes {
		for _, author := range c.Authors {
			s.account(change.AccountID(author))
		}
	}
	for _, a := range s.policy.People {
		for _, id := range a.Accounts {
			s.account(id)
		}
	}
	for _, a := range s.policy.Automations {
		s.account(a.Account)
		s.account(change.AccountID(a.Accountable))
	}
}

func (s *surveyor) team(selector change.Selector, name string) {
	if _, asked := s.around.Teams[selector]; asked {
		return
	}
	members, found, others, err := s.survey.Team(s.ctx, name)
	if s.ask(err) {
		s.around.Teams[selector] = policy.Team{Found: found, Others: others, Members: members}
	}
}

// account asks about an account of GitHub; accounts of trackers are none.
func (s *surveyor) account(account change.AccountID) {
	id, is := strings.CutPrefix(string(account), string(change.GitHub)+":")
	if _, asked := s.around.Accounts[account]; asked || !is {
		return
	}
	if s.accounts++; s.accounts > maxAccountsAsked {
		s.ask(fmt.Errorf("the accounts after the first %d", maxAccountsAsked))
		return
	}
	who, found, err := s.survey.Account(s.ctx, id)
	if s.ask(err) {
		s.around.Accounts[account] = policy.Account{Found: found, Bot: who.Kind == change.Bot, Login: who.Login}
	}
}

// branches asks about the branches that the policy names.
func (s *surveyor) branches() {
	all, err := s.survey.Branches(s.ctx)
	if !s.ask(err) {
		return
	}
	s.around.Branches = change.Known(all)
	asked := 0
	for _, branch := range all {
		if !s.policy.Governs(branch) {
			continue
		}
		if asked++; asked > maxBranchesAsked {
			s.ask(fmt.Errorf("the branches after the first %d that the policy names", maxBranchesAsked))
			return
		}
		s.branch(branch)
	}
}

func (s *surveyor) branch(branch string) {
	if pins, err := s.survey.Required(s.ctx, branch); s.ask(err) {
		required := []policy.Required{}
		for _, p := range pins {
			required = append(required, policy.Required{Name: p.Name, AppID: p.AppID})
		}
		s.around.Pins[branch] = change.Known(required)
	}
	checks, owners := false, false
	s.around.Workflows[branch] = map[string]bool{}
	for _, i := range s.policy.RulesFor(branch) {
		rule := &s.policy.Changes[i]
		owners = owners || rule.CodeOwners != nil
		for _, c := range rule.RequiredChecks {
			checks = checks || c.Name != ""
			if _, asked := s.around.Workflows[branch][c.Workflow]; c.Workflow == "" || asked {
				continue
			}
			if there, err := s.survey.HasFile(s.ctx, branch, c.Workflow); s.ask(err) {
				s.around.Workflows[branch][c.Workflow] = there
			}
		}
	}
	if checks {
		ran, err := s.survey.Lately(s.ctx, branch)
		s.ask(err)
		for _, r := range ran {
			s.around.Runs[branch] = append(s.around.Runs[branch], policy.Ran(r))
		}
	}
	if owners {
		if path, problems, err := s.survey.OwnersFile(s.ctx, branch); s.ask(err) {
			s.around.Owners[branch] = policy.OwnersFile{Path: path, Problems: problems}
		}
	}
}

// A findingJSON is one finding as JSON has it.
type findingJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Kind   string `json:"kind"` // problem, warning, hint or floor
	Text   string `json:"text"`
}

// kindOf names the kind of a finding.
func kindOf(f policy.Finding) string {
	switch {
	case f.Never:
		return "problem"
	case f.Hint:
		return "hint"
	}
	return "warning"
}

// needsRepository says that a token is of no use without a repository.
func needsRepository(a access, repository string) error {
	if repository == "" && cmp.Or(a.tokenFile, a.api) != "" {
		return exit(misused, "which repository is the policy for? name it with --repo OWNER/REPO")
	}
	return nil
}
