package policy

import "fmt"

// requestDemands says what a rule asks of a change request.
func requestDemands(l *LinkedRequest) []string {
	out := []string{"The whole key of the request matches the regular expression " + code(l.Pattern) + "."}
	if l.Tracker == "" {
		return out
	}
	out = append(out, fmt.Sprintf("The request exists in %s, where it is looked up. While %s does not answer, no change is let through.", trackerName(l.Tracker), trackerName(l.Tracker)))
	if len(l.Types) > 0 {
		out = append(out, "It is of the type "+anyRole(l.Types)+".")
	}
	if len(l.States) > 0 {
		out = append(out, "When the change lands, it is in the state "+anyRole(l.States)+".")
	} else {
		out = append(out, "When the change lands, it is not closed.")
	}
	if l.CreatedBefore == BeforeFirstCommit {
		out = append(out, "It was created before the first commit of the change, the first push to its branch and its opening.")
	} else {
		out = append(out, "It was created before the change landed.")
	}
	if l.Independent {
		out = append(out, "Who asked for the change, and who entered the request, made no part of it, and somebody else again has approved it.")
	}
	return out
}
