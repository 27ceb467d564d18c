package github

import (
	_ "embed"
	"strings"
)

//go:embed pull_request.graphql
var pullRequestQuery string

//go:embed branch.graphql
var branchQuery string

//go:embed commits.graphql
var commitsQuery string

//go:embed authors.graphql
var authorsQuery string

//go:embed floor.graphql
var floorQuery string

//go:embed owners.graphql
var ownersQuery string

//go:embed trees.graphql
var treesQuery string

//go:embed fragments.graphql
var fragments string

// The documents as they are sent. A document may hold only the fragments that it
// uses.
var (
	pullRequestDocument = document(pullRequestQuery, "Who", "Policy", "Owners", "CommitFacts", "Checked")
	branchDocument      = document(branchQuery, "Who", "Policy", "Owners", "Checked")
	commitsDocument     = document(commitsQuery, "CommitFacts")
	authorsDocument     = document(authorsQuery)
	floorDocument       = document(floorQuery)
	treesDocument       = document(treesQuery, "Folder")
	ownersDocument      = document(ownersQuery, "Owners")
)

// document joins a query and the named fragments.
func document(query string, names ...string) string {
	for _, f := range strings.SplitAfter(fragments, "\n}\n") {
		for _, name := range names {
			if strings.HasPrefix(strings.TrimSpace(f), "fragment "+name+" ") {
				query += "\n" + strings.TrimSpace(f) + "\n"
			}
		}
	}
	return query
}
