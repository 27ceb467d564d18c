package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

func (c *command) policyRender() *cobra.Command {
	var floor string
	render := &cobra.Command{
		Use:   "render [FILE]",
		Short: "print a policy as a document that can be signed",
		Long: "Render prints a policy (" + policyFile + " when no file is named, - for standard input) in plain English,\n" +
			"as Markdown: every rule, who holds which role, which criteria each control evidences, the digest of the file, and\n" +
			"where to sign. With --floor it also says what it and the floor of the organisation make of each\n" +
			"other.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name, text, err := c.namedPolicy(args)
			if err != nil {
				return err
			}
			by, set, err := withFloor(name, text, floor)
			if err != nil {
				return err
			}
			if set.Floor == nil {
				return policy.Render(c.out, set.Repository, sourceOf(by))
			}
			return policy.RenderSet(c.out, set, sourceOf(by), sourceOf(*by.Floor))
		},
	}
	floorFlag(render, &floor)
	return render
}

// sourceOf says where a policy was read from.
func sourceOf(f change.PolicyFile) policy.Source {
	return policy.Source{Name: f.Path, Digest: fmt.Sprintf("SHA-256 %x", sha256.Sum256([]byte(f.Text)))}
}
