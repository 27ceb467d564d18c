package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

func (c *command) verify() *cobra.Command {
	var keys, checkpoint string
	var asJSON bool
	verify := &cobra.Command{
		Use:   "verify DIR",
		Short: "check evidence offline, and judge every change again",
		Long: "Verify reads a server's data directory, or its evidence folder, and nothing else. It checks\n" +
			"every signature, the log against its signed checkpoint, every chain and every disclosure,\n" +
			"and judges every change again from the recorded facts and policy.\n\n" +
			"It exits with 0 when everything holds, 1 when something does not, and 3 when the\n" +
			"directory can not be read.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := verifyOptions(keys, checkpoint)
			if err != nil {
				return err
			}
			return c.runVerify(cmd.Context(), args[0], o, asJSON)
		},
	}
	verify.Flags().StringVar(&keys, "keys", "", "directory with the record.pub and log.pub you trust (default: those in DIR, which prove only that DIR agrees with itself)")
	verify.Flags().StringVar(&checkpoint, "checkpoint", "", "file with a checkpoint kept from an earlier visit: shows that nothing was taken away since")
	verify.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return verify
}

// maxCheckpoint bounds a checkpoint file, in bytes.
const maxCheckpoint = 64 << 10

func verifyOptions(keys, checkpoint string) (evidence.Options, error) {
	o := evidence.Options{Judge: policy.Judge}
	if keys != "" {
		public, err := evidence.ReadPublic(keys)
		if err != nil {
			return o, &exitError{status: misused, err: err}
		}
		o.Public = &public
	}
	if checkpoint != "" {
		f, err := os.Open(checkpoint)
		if err != nil {
			return o, exit(misused, "reading the checkpoint: %w", err)
		}
		defer f.Close()
		if o.Checkpoint, err = io.ReadAll(io.LimitReader(f, maxCheckpoint)); err != nil {
			return o, exit(misused, "reading the checkpoint: %w", err)
		}
	}
	return o, nil
}

func (c *command) runVerify(ctx context.Context, dir string, o evidence.Options, asJSON bool) error {
	if inner := filepath.Join(dir, evidenceDir); isDir(inner) {
		dir = inner
	}
	o.Progress = c.progress("verifying", time.Now)
	v, err := evidence.Verify(ctx, dir, o)
	if err != nil {
		return &exitError{status: undecided, err: err}
	}
	if asJSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		err = e.Encode(struct {
			Holds bool `json:"holds"` // whether everything that was checked holds
			evidence.Verification
		}{v.OK(), v})
	} else {
		err = writeVerification(c.out, &v)
	}
	if !v.OK() {
		return errors.Join(err, &exitError{status: denied})
	}
	return err
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// writeVerification prints the verdict in one line, then what it rests on, then
// what was found and where.
func writeVerification(w io.Writer, v *evidence.Verification) error {
	verdict := "HOLDS"
	if !v.OK() {
		verdict = "DOES NOT HOLD"
	}
	p := &lines{w: w}
	p.print("%s: %s, %s judged again with the same result", verdict, plural(v.Records, "record"), plural(v.Replayed, "decision"))
	p.print("  log         %s, %s", v.Origin, plural(int(v.Size), "entry"))
	p.print("  record key  %s", v.KeyID)
	p.print("  verdicts    %d allowed, %d denied, %d by exception", v.Verdicts[change.Allow], v.Verdicts[change.Deny], v.Verdicts[change.AllowException])
	if v.Erased > 0 {
		p.print("  people      erased from %s; what they did is still proved", plural(v.Erased, "record"))
	}
	for _, chain := range v.Chains {
		p.print("  chain       %s: %s, %d landed", visible(chain.Chain), plural(int(chain.Records), "record"), chain.Landed)
	}
	for _, list := range []struct {
		label    string
		findings []evidence.Finding
	}{{"FINDING", v.Findings}, {"gap", v.Gaps}, {"note", v.Notes}} {
		for _, f := range list.findings {
			p.print("%s: %s%s", list.label, where(f), visible(f.What))
		}
	}
	if v.More > 0 {
		p.print("and %d more", v.More)
	}
	return p.err
}

// where says which entry a finding is about.
func where(f evidence.Finding) string {
	switch {
	case f.Index >= 0 && f.Record != "":
		return fmt.Sprintf("entry %d, record %.12s: ", f.Index, f.Record)
	case f.Index >= 0:
		return fmt.Sprintf("entry %d: ", f.Index)
	case f.Record != "":
		return fmt.Sprintf("record %.12s: ", f.Record)
	}
	return ""
}
