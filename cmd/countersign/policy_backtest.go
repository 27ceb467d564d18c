package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/forge/github"
	"github.com/countersign-dev/countersign/policy"
)

// A backtest is a draft of a policy and the past that it is tried on.
type backtest struct {
	*command
	access access
	repo   string
	file   string
	floor  string
	since  time.Time
	until  time.Time
	limit  int // 0 for none
	asJSON bool

	set   *policy.Set
	forge *github.Forge
	past  *github.Past
	pause func(context.Context, time.Duration) error
	sum   summary
}

func (c *command) policyBacktest() *cobra.Command {
	b := &backtest{command: c, pause: pause}
	var since, until string
	cmd := &cobra.Command{
		Use:   "backtest OWNER/REPO --since DATE",
		Short: "judge the merged changes of the past by a draft of a policy",
		Long: "Backtest judges by a policy (" + policyFile + " unless --policy names another) what has landed on the\n" +
			"branches that it names: every pull request that was merged since a day, and every push that was\n" +
			"no merge. Each is judged as it stood in the moment before it landed, as the server would have\n" +
			"judged it had the policy held then: what it still lacked is said to have held it. That no verdict\n" +
			"was ever shown on it is not held against it, nor what GitHub enforces on the branch today. Who is\n" +
			"in which team and who may write is known only as it is today.\n\n" +
			"It needs a token that may read metadata, contents, pull requests, checks, commit statuses and\n" +
			"actions of the repository and, where roles name teams, members of the organisation; no App and no\n" +
			"server. Nothing is written: not to GitHub, and not to any record. What the token may not read, and\n" +
			"what GitHub no longer knows, is said to be not known, with the reason, and does not pass.\n\n" +
			"A change takes two requests to GitHub and seldom more than four. Where GitHub asks to wait, it\n" +
			"waits up to fifteen minutes; where it has to stop, it says what is left and how to go on. The\n" +
			"newest comes first. It exits with 0 when nothing would have been held, 1 when something would, 2\n" +
			"for wrong usage and 3 when it could not be told of a change, or not all could be judged.",
		Example: "  countersign policy backtest acme/shop --since 2026-08-01 --policy draft.yml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b.repo = args[0]
			if err := b.read(since, until); err != nil {
				return err
			}
			return b.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "the first day, such as 2026-08-01, or a moment, such as 2026-08-01T09:00:00Z")
	cmd.Flags().StringVar(&until, "until", "", "the last day, or the moment before which to end (default: now)")
	cmd.Flags().StringVar(&b.file, "policy", policyFile, "the policy to judge by")
	floorFlag(cmd, &b.floor)
	cmd.Flags().IntVar(&b.limit, "limit", 0, "judge only so many of the newest pull requests (default: all)")
	cmd.Flags().BoolVar(&b.asJSON, "json", false, "print one JSON object a change, those let through too, and a last one with the sum")
	b.access.flags(cmd)
	return cmd
}

// read reads the flags, the policy and the token.
func (b *backtest) read(since, until string) (err error) {
	if err := checkRepository(b.repo); err != nil {
		return err
	}
	if since == "" {
		return exit(misused, "since when? name a day, as in --since 2026-08-01")
	}
	if b.since, _, err = dayOrMoment("--since", since); err != nil {
		return err
	}
	b.until = time.Now()
	if until != "" {
		var day bool
		if b.until, day, err = dayOrMoment("--until", until); err != nil {
			return err
		}
		if day {
			b.until = b.until.AddDate(0, 0, 1)
		}
	}
	switch {
	case !b.since.Before(b.until):
		return exit(misused, "nothing can have landed since %s and before %s", stamped(b.since), stamped(b.until))
	case b.limit < 0:
		return exit(misused, "--limit %d is less than nothing", b.limit)
	}
	text, err := readPolicy(b.file)
	if err != nil {
		return err
	}
	_, set, err := withFloor(b.file, text, b.floor)
	if err != nil {
		return err
	}
	b.set = set.Hindsight()
	if b.forge, err = b.reader(b.access); err == nil && b.forge == nil {
		err = exit(misused, "a token is needed to read %s; name its file with --token-file, or set %s", b.repo, tokenVariable)
	}
	return err
}

// dayOrMoment reads a day or a moment, and reports whether it is a day. Days are in UTC.
func dayOrMoment(flag, s string) (t time.Time, day bool, err error) {
	if t, err = time.Parse(time.DateOnly, s); err == nil {
		return t, true, nil
	}
	if t, err = time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), false, nil
	}
	return t, false, exit(misused, "reading %s %q: write a day, such as 2026-08-01, or a moment, such as 2026-08-01T09:00:00Z", flag, s)
}

func stamped(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for GitHub: %w", ctx.Err())
	case <-t.C:
		return nil
	}
}
