package policy

// Hindsight returns a set by which changes that landed in the past are judged as
// they stood in the moment before: as a draft of a policy would have judged them,
// had it been in force.
//
// What a landed change still lacked is pending, as it was then, and not a failure
// for good. No verdict is asked for, because none was given, nor a merge queue,
// because what the forge demands of the branch today says nothing about that day.
// That a branch moved by something other than a merge fails as ever. s is not
// changed.
func (s *Set) Hindsight() *Set {
	out := &Set{}
	if s.Repository != nil {
		own := *s.Repository
		own.hindsight, out.Repository = true, &own
	}
	if s.Floor != nil {
		floor := *s.Floor
		floor.hindsight, out.Floor = true, &floor
	}
	return out
}
