package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit statuses.
const (
	allowed   = 0 // allowed, verified, valid
	denied    = 1 // denied, or evidence that does not hold
	misused   = 2 // a wrong flag, argument, configuration or policy
	undecided = 3 // no decision: something could not be read or reached
)

// A command is the program, with what it reads and writes handed to it.
type command struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
}

// An exitError ends the program with a status. Its error is printed unless it is
// nil, when all has been said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit returns an error that ends the program with the status.
func exit(status int, format string, args ...any) error {
	return &exitError{status: status, err: fmt.Errorf(format, args...)}
}

// orUndecided returns err with the status that it carries, or that of no decision.
func orUndecided(err error) error {
	if e := (*exitError)(nil); errors.As(err, &e) {
		return &exitError{status: e.status, err: err}
	}
	return &exitError{status: undecided, err: err}
}

// run runs the program and returns its exit status.
func (c *command) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return allowed
	}
	status := misused // what cobra itself refuses is wrong usage
	var e *exitError
	if errors.As(err, &e) {
		status = e.status
	}
	if text := err.Error(); text != "" {
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(c.err, "countersign: error: %s\n", line)
		}
	}
	return status
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "countersign",
		Short: "change management that is enforced, and evidence that it was",
		Long: "Countersign holds peer review, segregation of duties and required checks on every\n" +
			"change, and writes a signed record of who did what. It does not gate deployments yet.\n\n" +
			"Exit statuses: 0 allowed, 1 denied, 2 wrong usage, 3 no decision.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       buildVersion(),
		Args:          cobra.NoArgs,
		RunE:          needsCommand,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n") // as the command version prints it
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.AddCommand(c.serve(), c.keygen(), c.verify(), c.policy(), c.demo(), c.version())
	return root
}

// needsCommand shows what there is to a user who named nothing to do.
func needsCommand(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	return errors.Join(cmd.Help(), &exitError{status: misused})
}

// onTerminal reports whether w is a terminal, where progress and colour belong.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
