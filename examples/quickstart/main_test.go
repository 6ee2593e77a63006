package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAllNineCombinations(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if got, want := len(lines), 9; got != want {
		t.Fatalf("got %d lines, want %d:\n%s", got, want, out.String())
	}
	for _, transport := range []string{"inproc", "ipc", "tcp"} {
		for _, want := range []string{
			`request-reply     3 questions answered, the last one "re: three"`,
			`publish-subscribe one subscriber got "weather.berlin", the other "traffic.oslo", nobody sports`,
			`pipeline          100 tasks done, 50 and 50 by two workers`,
		} {
			if !strings.Contains(out.String(), transport+strings.Repeat(" ", 7-len(transport))+want) {
				t.Errorf("no line for %s with %q in:\n%s", transport, want, out.String())
			}
		}
	}
}
