package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/policybot"
)

func (c *command) policyImport() *cobra.Command {
	var owner string
	var accounts []string
	imported := &cobra.Command{
		Use:   "import FILE",
		Short: "convert a policy of policy-bot, and say what could not be carried over",
		Long: "Import reads a policy of policy-bot (.policy.yml, or - for standard input) and prints the policy that\n" +
			"comes of it. What could not be carried over as it was is told line by line: as a warning where the policy asks for less\n" +
			"than before, as a hint where it is stricter. It exits with 0 when the policy asks for no less, 1\n" +
			"when it asks for less, 2 when nothing could be converted and 3 when the file could not be read.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := accountIDs(accounts)
			if err != nil {
				return err
			}
			name, text, err := c.namedPolicy(args)
			if err != nil {
				return err
			}
			out, err := policybot.Import(name, text, policybot.Options{Owner: owner, Accounts: ids})
			if told := c.losses(name, out.Losses); told != nil || err != nil {
				return errors.Join(told, &exitError{status: misused, err: err})
			}
			if _, err := c.out.Write(out.Policy); err != nil {
				return err
			}
			if out.Less() {
				return &exitError{status: denied}
			}
			return nil
		},
	}
	imported.Flags().StringVar(&owner, "owner", "unassigned", "who answers for the policy")
	imported.Flags().StringArrayVar(&accounts, "account", nil, "LOGIN=ID, the numeric account id of somebody whom the policy names; repeat it for each")
	return imported
}

// accountIDs reads LOGIN=ID, where the id may have its forge before it.
func accountIDs(pairs []string) (map[string]change.AccountID, error) {
	ids := map[string]change.AccountID{}
	for _, pair := range pairs {
		login, id, ok := strings.Cut(pair, "=")
		if !strings.Contains(id, ":") {
			id = string(change.GitHub) + ":" + id
		}
		account, err := change.ParseAccountID(id)
		if !ok || login == "" || err != nil {
			return nil, exit(misused, "reading --account %q: write LOGIN=ID, such as ada=583231", pair)
		}
		ids[login] = account
	}
	return ids, nil
}

// losses tells what could not be carried over.
func (c *command) losses(name string, losses []policybot.Loss) error {
	out := lines{w: c.err}
	for _, l := range losses {
		kind, so := "hint", "stricter"
		if l.Less {
			kind, so = "warning", "less"
		}
		out.print("countersign: %s: %s:%d: %s (%s)", kind, visible(name), l.Line, visible(l.Text), so)
	}
	if out.err != nil {
		return fmt.Errorf("telling what could not be carried over: %w", out.err)
	}
	return nil
}
