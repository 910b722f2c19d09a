// Command khalayak-note opens a C2SP signed note with Go's own reader, golang.org/x/mod/sumdb/note, and the cosignature/v1
// verifier of transparency-dev: the note on stdin, verifier keys as arguments. It prints the verified text and, after
// an empty line, who signed it and when (seconds since 1970). Exit code 1 when no known key signed, or one did wrongly.
package main

import (
	"fmt"
	"io"
	"os"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := open(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(keys []string) error {
	var verifiers []note.Verifier
	for _, key := range keys {
		verifier, err := cosignature.NewVerifierForCosignatureV1(key)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	message, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	if err != nil {
		return err
	}
	opened, err := note.Open(message, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", opened.Text)
	for _, signature := range opened.Sigs {
		time, err := cosignature.CoSigV1Timestamp(signature)
		if err != nil {
			return err
		}
		fmt.Printf("%s %d\n", signature.Name, time.Unix())
	}
	return nil
}
