package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

// policyFile is where a repository keeps its policy.
const policyFile = ".countersign.yml"

func (c *command) policy() *cobra.Command {
	p := &cobra.Command{Use: "policy", Short: "check, test, explain and convert policies", Args: cobra.NoArgs, RunE: needsCommand}
	p.AddCommand(c.policyCheck(), c.policyExplain(), c.policySchema(), c.policyTest(), c.policyBacktest(), c.policyRender(), c.policyImport())
	return p
}

// maxPolicy is more than policy.Parse accepts, so that it says what is too long.
const maxPolicy = 1 << 20

// namedPolicy reads the policy that the arguments name, or the one of this directory.
func namedPolicy(args []string) (name string, text []byte, err error) {
	name = policyFile
	if len(args) == 1 {
		name = args[0]
	}
	text, err = readPolicy(name)
	return name, text, err
}

func readPolicy(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, exit(misused, "reading the policy: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPolicy))
	if err != nil {
		return nil, exit(undecided, "reading the policy: %w", err)
	}
	return text, nil
}

func (c *command) policyExplain() *cobra.Command {
	var file, floor string
	var asJSON bool
	explain := &cobra.Command{
		Use:   "explain CHANGE",
		Short: "judge recorded facts and say why, control by control",
		Long: "Explain judges the facts in a file (- for standard input), in the JSON form that records hold,\n" +
			"by a policy, and prints what every control says. The file can be a record too (.dsse.json): its\n" +
			"facts are judged by the policy that is named, and its signature is not looked at, which verify\n" +
			"does. It exits with 0 when the change is allowed, 1 when it is denied and 3 when there is no\n" +
			"decision.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := readPolicy(file)
			if err != nil {
				return err
			}
			facts, err := c.readFacts(args[0])
			if err != nil {
				return err
			}
			by, _, err := withFloor(file, text, floor)
			if err != nil {
				return err
			}
			return c.explain(facts, by, asJSON)
		},
	}
	explain.Flags().StringVar(&file, "policy", policyFile, "the policy to judge by")
	floorFlag(explain, &floor)
	explain.Flags().BoolVar(&asJSON, "json", false, "print the decision as JSON")
	return explain
}

// readFacts reads facts, or those of a record. The signature of a record is not
// looked at: what is explained is no evidence, and verify looks at it.
func (c *command) readFacts(name string) (change.Facts, error) {
	in := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return change.Facts{}, exit(misused, "reading facts: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, 2*evidence.MaxPayload))
	if err != nil {
		return change.Facts{}, exit(undecided, "reading facts: %w", err)
	}
	var envelope struct {
		Payload []byte `json:"payload"`
	}
	if json.Unmarshal(data, &envelope) == nil && len(envelope.Payload) > 0 {
		record, err := evidence.ParseStatement(envelope.Payload)
		if err != nil {
			return change.Facts{}, &exitError{status: misused, err: fmt.Errorf("%s: %w", name, err)}
		}
		return record.Predicate.Facts, nil
	}
	facts, err := change.ParseFacts(bytes.NewReader(data))
	if err != nil {
		return change.Facts{}, &exitError{status: misused, err: fmt.Errorf("%s: %w", name, err)}
	}
	return facts, nil
}

// unrecorded marks what was judged without the server: whoever can edit the job
// that runs this could have edited its answer too.
const unrecorded = "\nunrecorded: judged here and not by a server, so this is no evidence"

// explain prints a decision and returns the error that carries its exit status.
func (c *command) explain(facts change.Facts, file change.PolicyFile, asJSON bool) error {
	p, err := policy.Read(file)
	if err != nil {
		return &exitError{status: misused, err: err}
	}
	facts = p.Resolve(facts, "").Canonical()
	decision := policy.Judge(facts, file)
	if asJSON {
		err = json.NewEncoder(c.out).Encode(decision)
	} else if err = policy.Explain(c.out, decision, facts.People); err == nil {
		_, err = fmt.Fprintln(c.out, unrecorded)
	}
	return errors.Join(err, byStatus(decision.Status))
}

// byStatus returns the error with the exit status of a decision, with nothing
// more to say.
func byStatus(s change.Status) error {
	switch {
	case s == change.Undetermined:
		return &exitError{status: undecided}
	case s.Blocks():
		return &exitError{status: denied}
	}
	return nil
}
