// Command mutation asks whether the tests of a package notice when a comparison in it
// is another one.
//
//	go run ./internal/mutation [-expected FILE] [-files NAMES] [-again OUTPUT] DIR
//
// Every ==, !=, <, <=, >, >=, &&, || and !, and every call of Before and After, is
// turned into its opposite; an order is also moved by one step, so that < becomes <=,
// and && becomes || and the other way round. Each such change is a mutant, and the
// tests of the package must fail for it. One that they pass for has survived: a test
// is missing, or the mutant means the same as the original. What means the same is
// listed in the file of expected survivors, with the reason.
//
// The package is compiled once. A build overlay, so that no file of the tree is ever
// touched, holds all mutants together, and the environment says which one is on. The
// stories run first, because they catch most; then the other tests, with -short.
//
// It prints a line for each survivor and then the figures. It exits with 1 when
// something survived that is not expected, or is expected and did not survive.
package main
