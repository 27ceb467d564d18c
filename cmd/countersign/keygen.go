package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/evidence"
)

func (c *command) keygen() *cobra.Command {
	var dir, origin, file string
	keygen := &cobra.Command{
		Use:   "keygen --origin HOST",
		Short: "make the keys that sign records and the log",
		Long: "Keygen writes two keys, encrypted with a passphrase in the format of cosign: record.key\n" +
			"(ECDSA P-256) signs the records, log.key (Ed25519) signs the log's checkpoints. Give\n" +
			"record.pub and log.pub to whoever is to verify. No key is ever overwritten.\n\n" +
			"The passphrase comes from --passphrase-file, from " + passphraseVariable + ", or is asked for.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			passphrase, err := c.newPassphrase(file)
			if err != nil {
				return &exitError{status: misused, err: err}
			}
			if err := evidence.GenerateKeys(dir, passphrase, origin); err != nil {
				return &exitError{status: misused, err: err}
			}
			public, err := evidence.ReadPublic(dir)
			if err != nil {
				return &exitError{status: undecided, err: err}
			}
			_, err = fmt.Fprintf(c.out, "keys in %s\nrecord key %s\nlog key    %s\n", dir, public.KeyID(), public.LogKey())
			return err
		},
	}
	keygen.Flags().StringVar(&dir, "dir", "keys", "directory to write the keys to")
	keygen.Flags().StringVar(&origin, "origin", "", "host name that the log goes by; it can not be changed later (required)")
	keygen.Flags().StringVar(&file, "passphrase-file", "", "file with the passphrase")
	if err := keygen.MarkFlagRequired("origin"); err != nil {
		panic(err)
	}
	return keygen
}
