package report

import (
	"math"
	"strconv"
	"testing"
)

// Text can be read in the light and in the dark: a contrast of 4.5 is what the
// Web Content Accessibility Guidelines (1.4.3) ask for.
func TestContrast(t *testing.T) {
	for _, test := range []struct{ text, behind string }{
		{"ink", "page"}, {"ink", "panel"}, {"muted", "page"}, {"muted", "panel"}, {"link", "page"},
		{"better", "page"}, {"worse", "page"}, {"open", "page"}, {"better", "betterback"}, {"worse", "worseback"},
		{"ink", "betterback"}, {"ink", "worseback"},
	} {
		text, behind := shadeOf(t, test.text), shadeOf(t, test.behind)
		for name, c := range map[string]float64{"light": contrast(t, text.light, behind.light), "dark": contrast(t, text.dark, behind.dark)} {
			if c < 4.5 {
				t.Errorf("%s: got a contrast of %.2f of %s on %s, want 4.5", name, c, test.text, test.behind)
			}
		}
	}
}

// Lines need a contrast of 3 (1.4.11), and no two shades are the same where
// plots are drawn.
func TestLineColours(t *testing.T) {
	page := shadeOf(t, "page")
	seen := make(map[string]string)
	for _, s := range theme {
		if other, ok := seen[s.light]; ok {
			t.Errorf("got %s for %s and %s, want different shades", s.light, s.name, other)
		}
		seen[s.light] = s.name
		if s.name[:2] != "c-" {
			continue
		}
		if l, d := contrast(t, s.light, page.light), contrast(t, s.dark, page.dark); l < 3 || d < 3 {
			t.Errorf("got contrasts of %.2f and %.2f of %s, want 3", l, d, s.name)
		}
	}
}

func shadeOf(t *testing.T, name string) shade {
	t.Helper()
	for _, s := range theme {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("the theme has no %s", name)
	return shade{}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(shift int) float64 {
		c := float64(v>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}
