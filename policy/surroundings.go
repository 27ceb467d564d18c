package policy

import "github.com/countersign-dev/countersign/change"

// Surroundings are what a forge says of the things that a policy names: whether they
// are there. What was not asked, or not answered, is absent.
type Surroundings struct {
	Repository string                             // such as "acme/shop"
	Teams      map[change.Selector]Team           // by selectors such as "team:acme/engineers"
	Accounts   map[change.AccountID]Account       // of roles, people and automations
	Branches   change.Fact[[]string]              // of the repository
	Runs       map[string][]Ran                   // by branch: what has run lately on what wants to reach it
	Workflows  map[string]map[string]bool         // by branch and path: whether the file is there
	Pins       map[string]change.Fact[[]Required] // by branch: the checks that the forge requires
	Owners     map[string]OwnersFile              // by branch: its code owners file
	CheckName  string                             // of the check run that shows our verdict
}

// A Team is what a forge says of a team.
type Team struct {
	Found   bool
	Others  []string           // where it is not found: the teams that there are, such as "acme/engineers"
	Members []change.AccountID // the humans in it
}

// An Account is what a forge says of an account id.
type Account struct {
	Found bool
	Bot   bool
	Login string
}

// A Ran check is one that has run.
type Ran struct {
	Name   string
	App    string // slug
	AppID  int64
	Status bool // a commit status, which no app stands behind
}

// A Required check is one that the forge asks for before a merge.
type Required struct {
	Name  string
	AppID int64 // 0: from anybody
}

// An OwnersFile is the code owners file of a branch.
type OwnersFile struct {
	Path     string   // empty when there is none
	Problems []string // lines that mean nothing, such as "line 7: ..."
}
