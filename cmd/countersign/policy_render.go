package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/policy"
)

func (c *command) policyRender() *cobra.Command {
	return &cobra.Command{
		Use:   "render [FILE]",
		Short: "print a policy as a document that can be signed",
		Long: "Render prints a policy (" + policyFile + " when no file is named) in plain English, as Markdown: every\n" +
			"rule, who holds which role, which criteria each control evidences, the digest of the file, and\n" +
			"where to sign.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name, text, err := namedPolicy(args)
			if err != nil {
				return err
			}
			p, err := policy.Parse(name, text)
			if err != nil {
				return &exitError{status: misused, err: err}
			}
			return policy.Render(c.out, p, policy.Source{Name: name, Digest: fmt.Sprintf("SHA-256 %x", sha256.Sum256(text))})
		},
	}
}
