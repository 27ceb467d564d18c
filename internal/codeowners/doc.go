// Package codeowners reads files that say who owns which paths of a repository.
//
// A line of such a file is a pattern and the owners of the paths that it matches.
// Of several lines that match a path the last holds, and one that names no owners
// takes the path away from everybody. What follows a # at the beginning of a word is
// a comment.
//
// Patterns are those of gitignore(5), with the exceptions that GitHub documents: no
// negation (!), no character ranges ([ ]), no escaped comment sign, and a pattern
// that ends in /* does not reach into directories. A space in a pattern stands behind
// a backslash. Matching takes time proportional to the lengths of pattern and path
// multiplied, whatever they are.
//
// GitHub skips a line that it cannot read, so that the lines before it hold in its
// place. Nobody who wrote the line meant that, so here each such line is a problem,
// and whoever judges by the file must know of it. A problem names its line and never
// quotes it: lines name people.
package codeowners
