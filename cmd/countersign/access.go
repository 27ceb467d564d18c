package main

import (
	"cmp"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/forge/github"
)

// An access is how a command reaches GitHub without being an App: with a token, and
// to read only.
type access struct {
	tokenFile string
	api       string
}

// The variables that GitHub Actions sets, by which a command finds its way there.
const (
	tokenVariable = "GITHUB_TOKEN"
	apiVariable   = "GITHUB_API_URL"
)

func (a *access) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.tokenFile, "token-file", "", "file with a GitHub token, personal or of an installation (default: the variable "+tokenVariable+")")
	cmd.Flags().StringVar(&a.api, "api", "", "API address; https://HOST/api/v3/ for GitHub Enterprise Server (default: the variable "+apiVariable+", or https://api.github.com)")
}

// maxToken bounds a token, in bytes.
const maxToken = 4 << 10

// reader returns GitHub as the token sees it, or nil when there is no token.
func (c *command) reader(a access) (*github.Forge, error) {
	token := c.env(tokenVariable)
	if a.tokenFile != "" {
		f, err := os.Open(a.tokenFile)
		if err != nil {
			return nil, exit(misused, "reading the token: %w", err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxToken))
		if err != nil {
			return nil, exit(misused, "reading the token: %w", err)
		}
		if token = strings.TrimSpace(string(data)); token == "" {
			return nil, exit(misused, "reading the token: %s is empty", a.tokenFile)
		}
	}
	if token == "" {
		return nil, nil
	}
	forge, err := github.NewReader(github.Config{BaseURL: cmp.Or(a.api, c.env(apiVariable))}, token)
	if err != nil {
		return nil, &exitError{status: misused, err: err}
	}
	return forge, nil
}

var ownerAndName = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9_.-]+$`)

// checkRepository says that a word is no repository's name.
func checkRepository(name string) error {
	if !ownerAndName.MatchString(name) {
		return exit(misused, "%q is not a repository's name; write OWNER/NAME, such as acme/shop", name)
	}
	return nil
}
