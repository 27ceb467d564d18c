package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/policy"
)

// A policyCheck is a policy to be looked through, and what it is compared with.
type policyCheck struct {
	*command
	name, floor string
	text        []byte
	access      access
	repository  string // empty when no forge is asked
	checkName   string
	asJSON      bool
}

func (c *command) policyCheck() *cobra.Command {
	p := &policyCheck{command: c}
	check := &cobra.Command{
		Use:   "check [FILE]",
		Short: "say what is wrong with a policy, and where",
		Long: "Check reads a policy (" + policyFile + " when no file is named, - for standard input) and prints every\n" +
			"problem in it as file:line:column: what is wrong, and what to do. It exits with 2 when there is one, also when the\n" +
			"problem is a gate that nobody could ever pass. Warnings are about what never applies, stands\n" +
			"twice, or holds changes that its author hardly meant; with warnings only it exits with 0.\n" +
			"With --floor it says, branch by branch, where the policy is beyond the floor of the organisation\n" +
			"and where it is weaker, so that the floor holds in its place.\n\n" +
			"With --repo and a token it also asks GitHub, and changes nothing there: whether the teams and\n" +
			"accounts that the policy names are there, and enough people in them for the approvals wanted;\n" +
			"whether its patterns match a branch, its checks have run on the newest pull requests into it and\n" +
			"by that app, and its workflows are files of it; what is wrong with the code owners file; and, as\n" +
			"a hint, whether a ruleset waits for the verdict. What the token may not read is said, and the exit\n" +
			"status is 3 then unless a problem was found.",
		Example: "  countersign policy check\n  countersign policy check --repo acme/shop --token-file token draft.yml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if p.name, p.text, err = p.namedPolicy(args); err != nil {
				return err
			}
			return p.run(cmd.Context())
		},
	}
	floorFlag(check, &p.floor)
	check.Flags().StringVar(&p.repository, "repo", "", "OWNER/REPO, the repository that the policy is for; GitHub is asked what it knows of it")
	check.Flags().StringVar(&p.checkName, "check-name", "countersign", "with --repo, the name of the check run that shows the verdict")
	check.Flags().BoolVar(&p.asJSON, "json", false, "print one JSON object a finding, also of --floor, and nothing where there is none")
	p.access.flags(check)
	return check
}

// run looks the policy through, prints what is wrong and returns the error that
// carries the exit status.
func (p *policyCheck) run(ctx context.Context) error {
	around, unasked, err := p.ask(ctx)
	if err != nil {
		return err
	}
	found, problems := policy.ExamineIn(p.name, p.text, around)
	if problems != nil {
		return errors.Join(p.unreadable(problems), &exitError{status: misused})
	}
	never, err := p.print(found, unasked)
	switch {
	case err != nil:
		return err
	case never:
		return &exitError{status: misused}
	}
	if p.floor != "" {
		if err := p.compare(); err != nil {
			return err
		}
	}
	if len(unasked) > 0 {
		return &exitError{status: undecided}
	}
	return nil
}

// ask asks GitHub about a policy that can be read, when a repository is named.
func (p *policyCheck) ask(ctx context.Context) (*policy.Surroundings, []string, error) {
	if p.repository == "" {
		return nil, nil, needsRepository(p.access, p.repository)
	}
	if err := checkRepository(p.repository); err != nil {
		return nil, nil, err
	}
	forge, err := p.reader(p.access)
	if err != nil {
		return nil, nil, err
	}
	if forge == nil {
		return nil, nil, exit(misused, "a token is needed to look at %s; name its file with --token-file, or set %s", p.repository, tokenVariable)
	}
	parsed, err := policy.Parse(p.name, p.text)
	if err != nil {
		return nil, nil, nil // which is said without asking anything
	}
	return p.surroundings(ctx, forge, p.repository, p.checkName, parsed)
}

// unreadable prints why a policy cannot be read.
func (p *policyCheck) unreadable(problems error) error {
	out := lines{w: p.out}
	var list policy.Problems
	if !p.asJSON || !errors.As(problems, &list) {
		out.print("%v", problems)
		return out.err
	}
	for _, one := range list {
		out.json(findingJSON{one.Name, one.Line, one.Column, "problem", one.Text})
	}
	return out.err
}

// print prints what was found, and reports whether it is worse than a warning.
func (p *policyCheck) print(found []policy.Finding, unasked []string) (never bool, err error) {
	out := lines{w: p.out}
	counts := map[string]int{}
	for _, f := range found {
		kind := kindOf(f)
		counts[kind]++
		switch {
		case p.asJSON:
			out.json(findingJSON{f.Name, f.Line, f.Column, kind, f.Text})
		case f.Never:
			out.print("%s", visible(f.Problem.String()))
		default:
			out.print("%s:%d:%d: %s: %s", visible(f.Name), f.Line, f.Column, kind, visible(f.Text))
		}
	}
	errs := lines{w: p.err}
	for _, why := range unasked {
		errs.print("countersign: warning: not asked: %s", visible(why))
	}
	if never = counts["problem"] > 0; !never && !p.asJSON {
		verdict, with := "valid", ", with "
		for _, kind := range []string{"warning", "hint"} {
			if n := counts[kind]; n > 0 {
				verdict, with = verdict+with+plural(n, kind), " and "
			}
		}
		out.print("%s: %s", p.name, verdict)
	}
	return never, errors.Join(out.err, errs.err)
}

// compare prints what the policy and the floor make of each other. For machines the
// place of a note is the policy, and what is wrong with the floor is a problem there.
func (p *policyCheck) compare() error {
	if !p.asJSON {
		return p.checkFloor(p.name, p.text, p.floor)
	}
	_, set, err := withFloor(p.name, p.text, p.floor)
	if problems := (policy.Problems)(nil); errors.As(err, &problems) {
		return errors.Join(p.unreadable(problems), &exitError{status: misused})
	}
	if err != nil {
		return err
	}
	out := lines{w: p.out}
	for _, branch := range set.Branches() {
		for _, n := range set.Notes(branch) {
			out.json(findingJSON{p.name, 1, 1, "floor", branch + ": " + string(n)})
		}
	}
	return out.err
}

// json prints a value as one line.
func (l *lines) json(v any) {
	if l.err == nil {
		l.err = json.NewEncoder(l.w).Encode(v)
	}
}
