// Package githubsim is a GitHub for tests, the demo and benchmarks. It serves
// GitHub's REST and GraphQL APIs over HTTP on the loopback interface, keeps real
// bare git repositories, so that commits, trees and merge bases are true, and
// delivers webhooks that are signed like GitHub's. It refuses what GitHub
// refuses. Package contract checks every exchange against GitHub's published
// descriptions.
//
// # A story
//
//	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir()})
//	defer sim.Close()
//	sim.DeliverTo(server.URL + "/webhooks/github")
//
//	sim.AddUsers("root", "ada", "grace")
//	acme, err := sim.AddOrganization("acme", "root")
//	shop, err := sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{
//		Files:       map[string]string{".countersign.yml": policy},
//		Permissions: map[string]string{"ada": "write", "grace": "write"},
//	})
//	_, err = shop.As("root").SetRuleset(githubsim.Ruleset{Name: "main", PullRequest: &githubsim.PullRequestRule{},
//		RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: sim.App.ID}}})
//
//	head, err := shop.As("ada").Push("feature", githubsim.Commit{Files: map[string]string{"a.go": "package a\n"}})
//	n, err := shop.As("ada").Open(githubsim.PullRequest{Head: "feature", Title: "Add a"})
//	_, err = shop.As("grace").Approve(n)
//	err = sim.Quiesce(ctx)
//	merged, err := shop.As("ada").Merge(n, githubsim.Merge{SHA: head})
//
// # Verbs
//
// Everything that happens is done by somebody. An Actor, which Repository.As
// returns, is an account at work in one repository:
//
//	git        CreateBranch DeleteBranch Push ForcePush PushCommit
//	web page   WebEdit ApplySuggestion UpdateBranch
//	changes    Open Close Reopen EditTitle EditBody Retarget MarkReady ConvertToDraft Label Unlabel OpenIssue
//	reviews    Approve RequestChanges Comment Review Dismiss EditReview
//	merging    Merge EnableAutoMerge DisableAutoMerge Enqueue Dequeue
//	checks     PostStatus Rerequest RequestAction
//	workflows  RunWorkflow RerunWorkflow
//	settings   SetRuleset DeleteRuleset SetPermission SetTeamPermission
//
// Check runs are posted by applications: Repository.PostCheck and UpdateCheck. A run of
// a workflow ends with Repository.EndWorkflow; the run behind a job that is posted
// without one begins and ends with its jobs.
// Teams and members belong to an Organization: AddMember, RemoveMember, AddTeam,
// AddToTeam, MakeMaintainer, RemoveFromTeam. Accounts belong to the Sim: AddUser,
// Rename, DeleteUser, Identity.
//
// A verb returns a *Refusal, with GitHub's status and message, for what GitHub
// refuses: a pull request approved by its author (422), a merge whose required
// checks do not pass (405) or whose head has moved (409), a push that a ruleset
// forbids (status 0 and the words of GitHub's pre-receive hook).
//
// # Deliveries and faults
//
// Each verb puts its webhooks in an outbox, from which one goroutine delivers
// them in order; GitHub does not try again, and neither does this. Quiesce
// waits until all are answered. Fail, SetLatency and SetMayhem make calls and
// deliveries go wrong; Requests counts calls by route.
//
// # What is not here
//
// Forks, tags, deployments, check suite events, comments on lines, classic branch protection, GitHub's own
// demand for code owners and patches of files are not modelled. A route that is not served
// answers 404, and a GraphQL field that is not served is an error of the whole
// query, as it is for a field that GitHub does not have. Signatures of commits
// are statements beside the repository: the objects are not signed.
package githubsim
