package main

import (
	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// floorFlag adds the flag that names a floor.
func floorFlag(cmd *cobra.Command, floor *string) {
	cmd.Flags().StringVar(floor, "floor", "", "the organisation's floor, a policy that the other can only tighten")
}

// withFloor returns a policy with the floor in a file, unless that is not named.
// Both must be valid.
func withFloor(name string, text []byte, floor string) (change.PolicyFile, *policy.Set, error) {
	file := change.PolicyFile{Found: true, Path: name, Text: string(text)}
	own, err := policy.Parse(name, text)
	if err != nil {
		return file, nil, &exitError{status: misused, err: err}
	}
	set := &policy.Set{Repository: own}
	if floor == "" {
		return file, set, nil
	}
	data, err := readPolicy(floor)
	if err != nil {
		return file, nil, err
	}
	if set.Floor, err = policy.Parse(floor, data); err != nil {
		return file, nil, &exitError{status: misused, err: err}
	}
	file.Floor = &change.PolicyFile{Found: true, Path: floor, Text: string(data)}
	return file, set, nil
}

// checkFloor prints what a policy and the floor make of each other.
func (c *command) checkFloor(name string, text []byte, floor string) error {
	_, set, err := withFloor(name, text, floor)
	if err != nil {
		return err
	}
	out := lines{w: c.out}
	noted := 0
	for _, branch := range set.Branches() {
		for _, n := range set.Notes(branch) {
			noted++
			out.print("%s: %s", visible(branch), visible(string(n)))
		}
	}
	if noted == 0 {
		out.print("%s asks for what %s asks for, and for nothing else", name, floor)
	}
	return out.err
}
