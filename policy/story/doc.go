// Package story plays stories: what happened to a change, told line by line, and
// what a policy must decide of it. So a policy is tested before it governs.
//
// A story is a txtar archive. It begins by saying what it is about, and has three
// sections:
//
//	Grace approves, then Ada pushes once more.
//	-- policy --   the policy; the reader's own when there is no such section
//	-- story --    what happened, an event a line, in order
//	-- want --     the verdict, then what controls say
//
// The events are listed by Events, with the form of their lines. In a form, words
// in capitals are the writer's, other words stand as they are, what is in brackets
// may be left out, and dots mean one or more words. A word with spaces stands
// between quotation marks. A line that begins with # is a comment.
//
// Every event happens a minute after the one before it. The n-th commit of a story
// is called c followed by n in six digits.
//
// The section want begins with a verdict: allow, deny or exception. A line for each
// control that matters follows: its status and id, and after a colon its reason. A
// line without a reason wants only the status, and a control without a line may say
// anything. Where nothing can be judged, the line is the status and the reason. A line
// such as "class standard" wants the class of the change, and "class" alone that it is
// not settled.
//
// Like package policy, this one is pure: the same story always comes out the same.
package story
