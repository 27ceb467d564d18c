package main

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// maxSecret bounds a file with a secret, in bytes.
const maxSecret = 64 << 10

// readSecret reads a secret from a file, without the line end that editors add.
func readSecret(what, name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w", what, err)
	}
	defer f.Close()
	secret, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w", what, err)
	}
	secret = bytes.TrimRight(secret, "\r\n")
	if len(secret) == 0 || len(secret) > maxSecret {
		return nil, fmt.Errorf("reading the %s: %s is empty or longer than %d bytes", what, name, maxSecret)
	}
	return secret, nil
}

// passphraseVariable names the environment variable that stands in for a
// passphrase file.
const passphraseVariable = "COUNTERSIGN_PASSPHRASE"

// newPassphrase returns the passphrase for new keys: from a file, from the
// environment, or typed twice at a terminal.
func (c *command) newPassphrase(file string) ([]byte, error) {
	if file != "" {
		return readSecret("passphrase", file)
	}
	if p := c.env(passphraseVariable); p != "" {
		return []byte(p), nil
	}
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, errors.New("no passphrase: use --passphrase-file, or set " + passphraseVariable)
	}
	first, err := c.ask(in, "passphrase for the new keys: ")
	if err != nil {
		return nil, err
	}
	second, err := c.ask(in, "the same again: ")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 || subtle.ConstantTimeCompare(first, second) != 1 {
		return nil, errors.New("the passphrases are empty or differ")
	}
	return first, nil
}

func (c *command) ask(in *os.File, prompt string) ([]byte, error) {
	fmt.Fprint(c.err, prompt)
	p, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	}
	return p, nil
}
