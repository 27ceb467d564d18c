package main

import (
	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/policy"
)

func (c *command) policySchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of a policy, for editors",
		Long: "Schema prints a JSON Schema (draft 2020-12) of " + policyFile + ". An editor that knows it completes\n" +
			"keys, shows what they mean and marks mistakes; for the YAML language server, save it and begin\n" +
			"the policy with\n\n  # yaml-language-server: $schema=countersign.schema.json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := c.out.Write(policy.Schema())
			return err
		},
	}
}
