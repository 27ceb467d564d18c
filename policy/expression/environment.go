package expression

import (
	"fmt"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/ext"
)

// Bounds of one expression.
const (
	MaxText    = 4000        // characters
	MaxCost    = 5_000_000   // units of CEL's cost model, some 10 ns each: the most that can be estimated, and that is spent
	MaxTotal   = 4 * MaxCost // units that all evaluations on one change can spend together, see Budget
	maxNodes   = 1000        // of the syntax tree, those that macros make included
	maxDepth   = 50
	maxRegex   = 1000 // instructions of one regular expression
	costsByNow = 1    // the revision of CEL's cost rules
)

// A Scope says which names an expression may use.
type Scope int

// The scopes.
const (
	OfClass Scope = iota // when: of a class, which cannot rest on the class
	OfRule               // when: of a rule, and an assertion
)

// environments returns the environment of each scope. They never change, so
// everything that is compiled shares them.
var environments = sync.OnceValues(func() (map[Scope]*cel.Env, error) {
	all := map[Scope]*cel.Env{}
	for _, scope := range []Scope{OfClass, OfRule} {
		e, err := environment(scope)
		if err != nil {
			return nil, fmt.Errorf("making the environment of expressions: %w", err)
		}
		all[scope] = e
	}
	return all, nil
})

// environment returns the environment of one scope. Every library in it stands at
// a fixed version.
func environment(scope Scope) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{ExcludeFunctions: append(timeZones(), untyped()...)})),
		ext.Strings(ext.StringsVersion(5)),
		ext.Lists(ext.ListsVersion(3)),
		ext.Sets(ext.SetsVersion(1)),
		costs(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableHiddenAccumulatorName(true),
		cel.StrictTimestampParsing(true),
		cel.HomogeneousAggregateLiterals(),
		cel.CostModelVersion(costsByNow),
		cel.ParserExpressionSizeLimit(MaxText),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserErrorRecoveryLimit(5),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals()),
		cel.Types(
			cel.NativeTypeFor[File](ext.ParseStructTags(true)),
			cel.NativeTypeFor[Commit](ext.ParseStructTags(true)),
			cel.NativeTypeFor[Check](ext.ParseStructTags(true)),
			cel.NativeTypeFor[Person](ext.ParseStructTags(true)),
		),
	}
	for _, v := range Variables() {
		if v.Name == className && scope == OfClass {
			continue
		}
		options = append(options, cel.VariableWithDoc(v.Name, v.kind, v.Doc))
	}
	return cel.NewCustomEnv(options...)
}

// leftOut lists the functions of the libraries that make large things out of small
// ones, so that a short expression could take all the memory there is.
func leftOut() []string {
	return []string{"format", "replace", "join", "strings.quote", "lists.range", "flatten"}
}

// untyped lists the functions that hide the type of a value, and with it how many
// lists stand in one another.
func untyped() []*env.Function {
	return []*env.Function{env.NewFunction(overloads.TypeConvertDyn), env.NewFunction(overloads.TypeConvertType)}
}

// timeZones lists the overloads that look a time zone up by its name. What a zone's
// name means changes with the table that a machine has, so that an old record could
// be judged otherwise on another one: expressions read times in UTC.
func timeZones() []*env.Function {
	without := func(function, overload string) *env.Function {
		return env.NewFunction(function, env.NewMemberOverload(overload, nil, nil, nil))
	}
	return []*env.Function{
		without(overloads.TimeGetFullYear, overloads.TimestampToYearWithTz),
		without(overloads.TimeGetMonth, overloads.TimestampToMonthWithTz),
		without(overloads.TimeGetDayOfYear, overloads.TimestampToDayOfYearWithTz),
		without(overloads.TimeGetDayOfMonth, overloads.TimestampToDayOfMonthZeroBasedWithTz),
		without(overloads.TimeGetDate, overloads.TimestampToDayOfMonthOneBasedWithTz),
		without(overloads.TimeGetDayOfWeek, overloads.TimestampToDayOfWeekWithTz),
		without(overloads.TimeGetHours, overloads.TimestampToHoursWithTz),
		without(overloads.TimeGetMinutes, overloads.TimestampToMinutesWithTz),
		without(overloads.TimeGetSeconds, overloads.TimestampToSecondsWithTz),
		without(overloads.TimeGetMilliseconds, overloads.TimestampToMillisecondsWithTz),
	}
}

// Environment lists every name, type and function that an expression can use, one a
// line and sorted.
func Environment() []string {
	all, err := environments()
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, v := range Variables() {
		lines = append(lines, "variable "+v.Name+" "+v.Type())
	}
	for name, f := range all[OfRule].Functions() {
		if slices.Contains(leftOut(), name) {
			continue
		}
		for _, o := range f.OverloadDecls() {
			lines = append(lines, "function "+name+" "+o.ID())
		}
	}
	for _, m := range all[OfRule].Macros() {
		lines = append(lines, fmt.Sprintf("macro %s %d", m.Function(), m.ArgCount()))
	}
	slices.Sort(lines)
	return lines
}
