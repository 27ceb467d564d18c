package expression

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types/ref"
)

// Bounds of what an expression can build. Growth by doubling meets them early.
const (
	maxBuilt  = 4000   // characters of a text that + makes
	maxJoined = 10_000 // elements of a list that + makes
)

// costs returns the models of calls whose cost is other than CEL reckons: what it
// takes for free although the work grows with the texts, and what can build large
// things out of small ones. What they charge is the same as what they estimate.
func costs() cel.EnvOption {
	whole := cost.Sum(cost.Const(cost.CallCost), cost.Scale(cost.Arg(0), cost.StringTraversalCostFactor))
	models := []cost.OverloadModel{
		cost.Overload(overloads.Equals, cost.EvalCost(cost.Min(cost.Arg(0), cost.Arg(1)))),
		cost.Overload(overloads.NotEquals, cost.EvalCost(cost.Min(cost.Arg(0), cost.Arg(1)))),
		cost.MemberOverload(overloads.SizeStringInst, cost.EvalCost(cost.Sum(cost.Const(cost.CallCost), cost.Scale(cost.Target(), cost.StringTraversalCostFactor)))),
		added(overloads.AddString, maxBuilt, cost.StringTraversalCostFactor), added(overloads.AddBytes, maxBuilt, cost.StringTraversalCostFactor), added(overloads.AddList, maxJoined, 0),
		cost.Overload(overloads.Matches, cost.ManualCost(estimateMatch, trackMatch)),
		cost.MemberOverload(overloads.MatchesString, cost.ManualCost(estimateMatch, trackMatch)),
	}
	for _, id := range []string{overloads.SizeString, overloads.StringToBool, overloads.StringToInt, overloads.StringToUint, overloads.StringToDouble, overloads.StringToDuration, overloads.StringToTimestamp} {
		models = append(models, cost.Overload(id, cost.EvalCost(whole)))
	}
	return cel.CostModel(models...)
}

// added returns the model of one form of +. It costs so much for each character that
// it copies, lists being joined without a copy, and more than anything may cost where
// it makes something larger than a bound.
func added(id string, most uint64, each float64) cost.OverloadModel {
	price := func(size uint64) uint64 {
		if size > most {
			return MaxCost + 1
		}
		return cost.CallCost + uint64(each*float64(size))
	}
	estimate := func(e cost.Estimator, _ *cost.AstNode, args []cost.AstNode) *cost.CallEstimate {
		a, b := cost.EstimateSize(e, args[0]), cost.EstimateSize(e, args[1])
		size := a.Add(b)
		size.Elem = a.Union(b).Elem
		return cost.NewCallEstimate(cost.Estimate{Max: price(size.Max)}, &size)
	}
	return cost.Overload(id, cost.ManualCost(estimate, func(_ []ref.Val, result ref.Val) *uint64 {
		n := price(cost.ActualSize(result))
		return &n
	}))
}

// estimateMatch returns what a regular expression can cost: every instruction of its
// program is tried at every place of the text.
func estimateMatch(e cost.Estimator, target *cost.AstNode, args []cost.AstNode) *cost.CallEstimate {
	if target != nil {
		args = append([]cost.AstNode{*target}, args...)
	}
	pattern := ""
	if literal, is := literalText(args[1].Expr()); is {
		pattern = literal
	}
	return cost.NewCallEstimate(cost.Estimate{Max: matchCost(cost.EstimateSize(e, args[0]).Max, pattern)}, nil)
}

// trackMatch returns what a regular expression has cost at most.
func trackMatch(args []ref.Val, _ ref.Val) *uint64 {
	pattern, _ := args[1].Value().(string)
	n := matchCost(cost.ActualSize(args[0]), pattern)
	return &n
}

// matchCost returns what it costs to match a text of a size: a unit for ten
// instructions at one place, since hardly ever all of them are alive.
func matchCost(size uint64, pattern string) uint64 {
	const together = 10
	return cost.CallCost + cost.SafeMultiply(cost.SafeAdd(size, 1), programSize(pattern))/together
}

// sizes tells CEL's cost model how large the facts of a change can be.
type sizes map[string]Variable

// EstimateCallCost leaves every call to the models.
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
