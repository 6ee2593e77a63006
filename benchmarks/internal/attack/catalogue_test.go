package attack

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Every abuse test is in the catalogue, or it says where it is.
func TestCatalogueIsComplete(t *testing.T) {
	have, titles := make(map[string]bool), make(map[string]bool)
	for i := range catalogue {
		a := &catalogue[i]
		if have[a.SEC] = true; titles[a.Title()] {
			t.Errorf("%s is there twice", a.Title())
		}
		titles[a.Title()] = true
		if find(a.Title()) != a {
			t.Errorf("%s is not found", a.Title())
		}
	}
	for _, e := range Elsewhere {
		have[e.SEC] = true
	}
	for n := 1; n <= 22; n++ {
		if name := fmt.Sprintf("SEC-%02d", n); !have[name] {
			t.Errorf("%s is in no attack", name)
		}
	}
}

// Each cell has time for all its inputs, none of which is there twice, and a refusal
// has an event.
func TestCatalogueInputs(t *testing.T) {
	const shortest = 3 * time.Second // what the command does without a flag
	for _, c := range Cells(nil) {
		a := c.Attack
		inputs := a.Inputs(&Target{Victim: c.Victim, Mechanism: c.Mechanism, Network: c.Network})
		most := int(shortest.Seconds() * float64(a.Rate))
		if a.Hold > 0 {
			most = a.Hold
		}
		if len(inputs) == 0 || len(inputs) > most {
			t.Errorf("%s: got %d inputs, want 1 to %d", c.Name(), len(inputs), most)
		}
		if a.Rate < 1 || a.What == "" {
			t.Errorf("%s: got rate %d and description %q, want both", c.Name(), a.Rate, a.What)
		}
		for _, input := range inputs {
			if (input.Want == Refused) != (input.Event != "") {
				t.Errorf("%s: %s: wants %d, with event %q", c.Name(), input.Name, input.Want, input.Event)
			}
			if c.Mechanism == "CURVE" && input.Want == Kept && input.After == WhenReady && input.Script == nil && len(input.Send) > 0 {
				t.Errorf("%s: %s: it is sent as it is, and cannot be kept by CURVE", c.Name(), input.Name)
			}
		}
	}
}

func TestCellsMatch(t *testing.T) {
	for pattern, want := range map[string]int{
		"SEC-04-frame-sizes": 6, "SEC-04*": 6, "SEC-04*/pull/*/*": 2, "SEC-04-frame-sizes/xpub/null/tcp": 1, "SEC-0[36]*/*/curve/tcp": 9, "SEC-99*": 0, "*/*": 0,
	} {
		if got := Cells([]string{pattern}); len(got) != want {
			t.Errorf("%q: got %d cells, want %d", pattern, len(got), want)
		}
	}
	seen := make(map[string]bool)
	for _, c := range Cells(nil) {
		if name := c.Name(); seen[name] || strings.Count(name, "/") != 3 {
			t.Errorf("%s: there twice, or not of four parts", name)
		} else {
			seen[name] = true
		}
	}
}
