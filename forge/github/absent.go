package github

import "maps"

// reasons says why facts are absent, by their names in JSON.
type reasons map[string]string

// set notes why a fact is absent. The first reason stays: the later ones tend to
// follow from it.
func (r reasons) set(fact, why string) {
	if _, ok := r[fact]; !ok {
		r[fact] = why
	}
}

// table returns a copy of the reasons, or nil when there are none.
func (r reasons) table() map[string]string {
	if len(r) == 0 {
		return nil
	}
	return maps.Clone(r)
}

// factsOf says which facts rest on a field of the pull request.
var factsOf = map[string][]string{
	"author":                  {"opener"},
	"commits":                 {"commits"},
	"reviews":                 {"reviews"},
	"files":                   {"files"},
	"headCommit":              {"checks"},
	"timelineItems":           {"timeline", "pushes"},
	"labels":                  {"labels"},
	"closingIssuesReferences": {"requests"},
	"autoMergeRequest":        {"autoMerge"},
	"mergeQueueEntry":         {"queue"},
	"mergedBy":                {"landing"},
	"mergeCommit":             {"landing"},
	"headRepository":          {"head", "pushes"},
}

// everyFact lists what an error without a usable path makes absent.
var everyFact = []string{
	"state", "opener", "head", "base", "commits", "pushes", "files", "reviews", "checks", "labels", "requests",
	"timeline", "autoMerge", "queue", "landing", "enforced",
}

// blame notes the facts that errors beside partial data touch. below is the path
// of the object whose fields factsOf names. It returns the errors that leave no
// judgement possible: those about the policy.
func (r reasons) blame(errs []queryError, below ...string) (fatal []queryError) {
	for _, e := range errs {
		field, rest := fieldBelow(e.Path, below)
		if field == "baseRef" && contains(rest, "associatedPullRequests") {
			continue // then REST is asked for the stack
		}
		if field == "baseRef" && aboutOwners(rest) {
			r.set("owners", "GitHub answered with an error: "+words([]queryError{e}))
			continue
		}
		if field == "baseRef" || field == "policyAt" {
			fatal = append(fatal, e)
			continue
		}
		if field == "headCommit" && contains(rest, "workflowRun") {
			continue // an optional detail, for which the application needs "actions: read"
		}
		facts, ok := factsOf[field]
		if !ok {
			facts = everyFact
		}
		for _, fact := range facts {
			r.set(fact, "GitHub answered with an error: "+words([]queryError{e}))
		}
	}
	return fatal
}

// fieldBelow returns the field under the given path and what follows it.
func fieldBelow(path []any, below []string) (string, []any) {
	if len(path) <= len(below) {
		return "", nil
	}
	for i, want := range below {
		if path[i] != want {
			return "", nil
		}
	}
	field, _ := path[len(below)].(string)
	return field, path[len(below)+1:]
}

// aboutOwners reports whether a path leads to a code owners file.
func aboutOwners(path []any) bool {
	return contains(path, "ownersInGitHub") || contains(path, "ownersAtRoot") || contains(path, "ownersInDocs")
}

func contains(path []any, field string) bool {
	for _, p := range path {
		if p == field {
			return true
		}
	}
	return false
}
