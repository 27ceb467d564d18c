package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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

// namedPolicy reads the policy that the arguments name, - for standard input, or the
// one of this directory.
func (c *command) namedPolicy(args []string) (name string, text []byte, err error) {
	name = policyFile
	if len(args) == 1 {
		name = args[0]
	}
	if name != "-" {
		text, err = readPolicy(name)
		return name, text, err
	}
	text, err = io.ReadAll(io.LimitReader(c.in, maxPolicy))
	if err != nil {
		return name, nil, exit(undecided, "reading the policy: %w", err)
	}
	return name, text, nil
}

func readPolicy(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, exit(misused, "reading the policy: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, exit(misused, "reading the policy: %s is a directory; name a file in it", name)
	}
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
	} else {
		called, withheld := byReference(facts.People)
		if err = policy.Explain(c.out, decision, called); err == nil && withheld {
			_, err = fmt.Fprintln(c.out, namesWithheld)
		}
		if err == nil {
			_, err = fmt.Fprintln(c.out, unrecorded)
		}
	}
	return errors.Join(err, byStatus(decision.Status))
}

// namesWithheld says why people are called p1 and p2.
const namesWithheld = "\nnames are withheld: a record calls people by references such as p1, and holds what they stand for apart, in its disclosures"

// byReference returns people of whom a record tells no name, called as it calls them,
// and reports whether there are any.
func byReference(people change.People) (called change.People, withheld bool) {
	called = maps.Clone(people)
	for p, id := range people {
		if id.Digest != "" && id.Label() == (change.Identity{}).Label() {
			id.Login, withheld = string(p), true
			called[p] = id
		}
	}
	return called, withheld
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
