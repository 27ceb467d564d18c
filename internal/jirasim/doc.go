// Package jirasim is a Jira Cloud that tests talk to over HTTP: the issues of a site,
// their history and accounts, basic authentication with API tokens, and OAuth 2.0 with
// client credentials, as far as looking an issue up needs them.
//
// It refuses what Jira refuses and in the same way: to somebody it does not know, and
// for an issue that the account may not browse, an issue does not exist. It is written
// after Atlassian's documentation of version 3 of the REST API; no machine-readable
// description of it is among the test dependencies, so exchanges are not checked
// against one. Fields and expansions that nobody asked for are left out, and calls that
// it does not serve are refused.
package jirasim
