package expression

import (
	"slices"

	"cel.dev/cel-go/common/cost"
)

// sizes tells CEL's cost model how large the facts of a change can be.
type sizes map[string]Variable

// EstimateCallCost leaves every call to the model.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// EstimateSize returns the size of what stands at a path such as
// ["change.files", "@items", "path"].
func (s sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	path := n.Path()
	if len(path) == 0 {
		return nil
	}
	v, known := s[path[0]]
	switch {
	case !known:
		return nil
	case len(path) == 1 && v.size > 0:
		return &cost.SizeEstimate{Max: v.size}
	case len(path) == 2 && v.of > 0 && len(v.each) == 0:
		return &cost.SizeEstimate{Max: v.of}
	case len(path) > 2 && slices.Contains(v.each, path[2]):
		return &cost.SizeEstimate{Max: v.of}
	}
	return &cost.SizeEstimate{Max: longestWord}
}
