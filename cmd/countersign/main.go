// Countersign holds changes to peer review, segregation of duties and required
// checks, and keeps signed evidence that it did. It does not gate deployments yet.
//
// Exit statuses: 0 allowed, 1 denied, 2 wrong usage, 3 no decision.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	c := &command{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}
	os.Exit(c.run(ctx, os.Args[1:]))
}
