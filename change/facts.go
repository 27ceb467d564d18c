package change

import "time"

// Facts is everything a forge said about one change at one moment, and the
// answers to what its policy asked. It is the whole input of a judgement.
type Facts struct {
	Ref        Ref       `json:"ref"`
	GatheredAt time.Time `json:"gatheredAt"` // when the first answer was asked for, UTC
	People     People    `json:"people"`

	// ByFloor is People as the organisation's floor alone knows them, without personal
	// data: their kinds, and which are one human. It is empty where that is the same,
	// and where there is no floor.
	ByFloor People `json:"byFloor,omitempty"`

	Title     string             `json:"title,omitempty"`
	URL       string             `json:"url,omitempty"`
	State     Fact[State]        `json:"state,omitzero"`
	Opener    Fact[Person]       `json:"opener,omitzero"`
	Opened    time.Time          `json:"opened,omitzero"`
	Head      Fact[Head]         `json:"head,omitzero"`
	Base      Fact[Base]         `json:"base,omitzero"`
	Commits   Fact[[]Commit]     `json:"commits,omitzero"`
	Pushes    Fact[[]BranchPush] `json:"pushes,omitzero"`
	Replaced  Fact[[]Commit]     `json:"replaced,omitzero"` // commits that force pushes took out of the change; asked only where there were any
	Files     Fact[[]File]       `json:"files,omitzero"`
	Reviews   Fact[[]Review]     `json:"reviews,omitzero"`
	Checks    Fact[[]Check]      `json:"checks,omitzero"`
	Labels    Fact[[]string]     `json:"labels,omitzero"`
	Requests  Fact[[]Request]    `json:"requests,omitzero"`
	Timeline  Fact[[]Event]      `json:"timeline,omitzero"`
	AutoMerge Fact[AutoMerge]    `json:"autoMerge,omitzero"`
	Queue     Fact[QueueEntry]   `json:"queue,omitzero"`
	Landing   Fact[Landing]      `json:"landing,omitzero"`
	Shown     Fact[Shown]        `json:"shown,omitzero"` // our last verdict on the change from before it landed, by our own ledger; only when it has landed
	Group     Fact[Group]        `json:"group,omitzero"`
	Enforced  Fact[Enforcement]  `json:"enforced,omitzero"`
	Members   Fact[[]Membership] `json:"memberships,omitzero"`

	// The following are asked only where the policy rests on them.
	Owners  Fact[Ownership] `json:"owners,omitzero"`
	Updates Fact[[]Update]  `json:"updates,omitzero"`
	Runs    Fact[[]Run]     `json:"runs,omitzero"`

	// Automations are those of the people whom the policy registers as automations.
	Automations []Automation `json:"automations,omitempty"`

	// Absent says why a fact is absent, by the name the fact has in JSON, in
	// words for the engineer. A fact that simply does not apply is not listed.
	Absent map[string]string `json:"absent,omitempty"`
}

// A State is where a change is in its life.
type State string

// The states of a change.
const (
	Open        State = "open"
	Draft       State = "draft"
	ClosedState State = "closed" // without having landed
	LandedState State = "landed"
)

// A Membership is the answer to one question of a policy: does this person match
// this selector?
type Membership struct {
	Selector Selector `json:"selector"`
	Person   Person   `json:"person"`
	Member   bool     `json:"member"`
}

// A Selector names who can hold a role, as a policy writes it:
//
//	team:acme/engineers    a member of the team, child teams included
//	user:github:583231     the account with that id
//	permission:write       anyone with at least that permission on the repository
type Selector string

// Needs is what a policy must still be told before it can judge some facts.
type Needs struct {
	Selectors []Selector // to be answered for every person who approved
	Requests  []string   // regular expressions (RE2) that a linked request's key matches
	Base      SHA        // the commit of the protected branch that the policy was read at; whoever asks may know better than the facts tell
	Owners    bool       // who owns the touched paths: Facts.Owners, and whether reviewers are in the owning teams
	Updates   bool       // whether merges of the base into the change are pure: Facts.Updates
	Attempts  bool       // how often the runs behind the checks were started: Check.Attempt
	// Starters are the moments at which an automation that acts for whoever started
	// its run did something to the change: Facts.Runs has every run then at work.
	Starters []time.Time
}

// A PolicyFile is the text of a policy and where it was read.
type PolicyFile struct {
	Found  bool   `json:"found"`
	URI    string `json:"uri"`    // such as "https://github.com/acme/shop/blob/<commit>/.countersign.yml"
	Path   string `json:"path"`   // such as ".countersign.yml"
	Commit SHA    `json:"commit"` // the commit of the protected branch it was read at
	Text   string `json:"text"`

	// Floor is the policy of the whole organisation, which the file above can only
	// tighten; nil where none is configured.
	Floor *PolicyFile `json:"floor,omitempty"`
}

// A Sibling is another open change with the same head commit.
type Sibling struct {
	Ref    Ref
	Target string // the branch it wants to reach
}

// Gathered is what one round of asking a forge gives.
type Gathered struct {
	Facts       Facts
	Policy      PolicyFile
	Description string      // of the change; matched for linked requests and not kept
	Shown       Fact[Shown] // our own verdict as it stands on the head now
	Groups      []Ref       // the merge groups that hold the change now; their verdicts rest on its own

	// Siblings are the other open changes whose head is the same commit. A forge
	// shows a verdict on a commit, so they all share the one that is shown.
	Siblings Fact[[]Sibling]
}
