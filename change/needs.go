package change

import (
	"cmp"
	"slices"
	"time"
)

// And returns the needs of two policies that govern together: whatever either must
// be told.
func (n Needs) And(o Needs) Needs {
	return Needs{
		Selectors: union(n.Selectors, o.Selectors),
		Requests:  union(n.Requests, o.Requests),
		Base:      cmp.Or(n.Base, o.Base),
		Owners:    n.Owners || o.Owners,
		Updates:   n.Updates || o.Updates,
		Attempts:  n.Attempts || o.Attempts,
		Starters:  moments(n.Starters, o.Starters),
	}
}

// union returns the distinct words of two lists in order, nil when there are none.
func union[T ~string](a, b []T) []T {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// moments returns the distinct moments of two lists in order, nil when there are none.
func moments(a, b []time.Time) []time.Time {
	all := slices.Concat(a, b)
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}
