package jira

import "github.com/countersign-dev/countersign/change"

// user is an account as Jira writes it. Null is nobody, or somebody who is gone.
type user struct {
	AccountID   string `json:"accountId"`
	AccountType string `json:"accountType"`
	DisplayName string `json:"displayName"`
}

// identity returns who a user is: by the Atlassian account, which is the same on every
// site and never given to somebody else.
func (u *user) identity() change.Identity {
	if u == nil {
		return change.Identity{Kind: change.Unknown}
	}
	account, err := change.ParseAccountID(string(change.NewJiraAccountID(u.AccountID)))
	if err != nil || u.AccountID == "unknown" {
		return change.Identity{Kind: change.Unknown, Name: u.DisplayName}
	}
	kind := change.Unknown
	switch u.AccountType {
	case "atlassian", "customer":
		kind = change.Human
	case "app":
		kind = change.App
	}
	return change.Identity{Kind: kind, Account: account, Name: u.DisplayName}
}
