package main

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/gate"
	"github.com/countersign-dev/countersign/tracker/gitlab"
	"github.com/countersign-dev/countersign/tracker/jira"
)

// A JiraConfig says where Jira is, and as whom linked requests are looked up there.
type JiraConfig struct {
	BaseURL      string `yaml:"base-url" default:"" doc:"where requests of the tracker jira are looked up, such as https://acme.atlassian.net, or https://api.atlassian.com/ex/jira/CLOUD-ID for OAuth 2.0; optional"`
	Email        string `yaml:"email" default:"" doc:"e-mail address of the account that the API token belongs to; without it token-file holds a bearer token"`
	Token        string `yaml:"token-file" default:"" doc:"API token of that account, or a bearer token of OAuth 2.0; read again for every question"`
	ClientID     string `yaml:"client-id" default:"" doc:"OAuth 2.0 client whose tokens are fetched, instead of token-file"`
	ClientSecret string `yaml:"client-secret-file" default:"" doc:"secret of that client"`
	TokenURL     string `yaml:"token-url" default:"https://auth.atlassian.com/oauth/token" doc:"where that client gets its tokens"`
}

// check says what is missing to ask Jira.
func (c JiraConfig) check(name string) (problems []error) {
	problem := func(key, what string) { problems = append(problems, fmt.Errorf("%s: jira.%s %s", name, key, what)) }
	credentials := c.Token != "" || c.ClientID != "" || c.ClientSecret != "" || c.Email != ""
	switch {
	case c.BaseURL == "" && credentials:
		problem("base-url", "is missing: "+docs()["jira.base-url"])
	case c.BaseURL != "" && !credentials:
		problem("token-file", "is missing: "+docs()["jira.token-file"])
	case c.Token != "" && c.ClientID+c.ClientSecret != "":
		problem("token-file", "and jira.client-id are two ways to be somebody; leave one of them out")
	case c.Email != "" && c.Token == "":
		problem("token-file", "is missing: "+docs()["jira.token-file"])
	case (c.ClientID == "") != (c.ClientSecret == ""):
		problem("client-id", "and jira.client-secret-file belong together; one of them is missing")
	}
	return problems
}

// tracker returns the configured Jira.
func (c JiraConfig) tracker() (gate.Tracker, error) {
	config := jira.Config{BaseURL: c.BaseURL, Email: c.Email, ClientID: c.ClientID, TokenURL: c.TokenURL}
	if c.Token != "" {
		config.Token = func() ([]byte, error) { return readSecret("token for Jira", c.Token) }
		if _, err := config.Token(); err != nil {
			return nil, err
		}
	}
	if c.ClientSecret != "" {
		secret, err := readSecret("client secret for Jira", c.ClientSecret)
		if err != nil {
			return nil, err
		}
		config.ClientSecret = string(secret)
	}
	return jira.New(config)
}

// A GitLabConfig says where GitLab is, and as whom linked requests are looked up there.
type GitLabConfig struct {
	BaseURL string `yaml:"base-url" default:"https://gitlab.com" doc:"where requests of the tracker gitlab are looked up"`
	Token   string `yaml:"token-file" default:"" doc:"access token with the scope read_api; read again for every question; without it nothing is looked up there"`
}

// tracker returns the configured GitLab.
func (c GitLabConfig) tracker() (gate.Tracker, error) {
	read := func() ([]byte, error) { return readSecret("token for GitLab", c.Token) }
	if _, err := read(); err != nil {
		return nil, err
	}
	return gitlab.New(gitlab.Config{BaseURL: c.BaseURL, Token: read})
}

// trackers returns where linked requests are looked up beside GitHub.
func (c Config) trackers() (map[string]gate.Tracker, error) {
	all := map[string]gate.Tracker{}
	if c.Jira.BaseURL != "" {
		t, err := c.Jira.tracker()
		if err != nil {
			return nil, err
		}
		all[change.Jira] = t
	}
	if c.GitLab.Token != "" {
		t, err := c.GitLab.tracker()
		if err != nil {
			return nil, err
		}
		all[change.GitLabIssues] = t
	}
	return all, nil
}
