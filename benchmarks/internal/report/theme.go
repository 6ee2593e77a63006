package report

import (
	"image/color"
	"strconv"
	"strings"
)

// shade is a colour that is another one in the dark. The plots are drawn with
// the light one, which is then replaced by the name: so no two are the same.
type shade struct{ name, light, dark string }

// theme has all colours of the page and the plots. Those of contenders start
// from the palette of Okabe and Ito. None is all that tells two things apart:
// outcomes have shapes, lines have names, widths and dashes.
var theme = []shade{
	{"page", "#ffffff", "#14171c"},
	{"panel", "#f6f7f9", "#1c2128"},
	{"ink", "#1c1f24", "#e3e6ea"},
	{"muted", "#5d6570", "#9aa3ae"},
	{"rule", "#dde1e6", "#333a44"},
	{"link", "#0a58ca", "#7fb2ff"},
	{"better", "#18772f", "#4ac26b"},
	{"worse", "#c9252d", "#ff7b72"},
	{"open", "#8a6100", "#d4a72c"},
	{"betterback", "#e0f3e4", "#12321c"},
	{"worseback", "#fde7e8", "#43191c"},
	{"c-ringwire", "#0067ab", "#4aa8ff"},
	{"c-variant", "#3898d0", "#8fd0ff"},
	{"c-libzmq", "#d55e00", "#ff9149"},
	{"c-pebbe", "#b57f00", "#f0b93a"},
	{"c-go-zeromq", "#008a64", "#2fc79b"},
	{"c-mangos", "#b8578f", "#ec9ac8"},
	{"c-net", "#6f5bb5", "#b3a4f0"},
	{"c-chan", "#7a4f2a", "#cfa077"},
	{"c-limit", "#6b7079", "#a7adb6"},
}

var (
	ink   = lightOf("ink")
	muted = lightOf("muted")
	rule  = lightOf("rule")
)

// colorOf is a contender's colour.
func colorOf(label string) color.Color {
	switch kind(label) {
	case 2:
		if label != "ringwire" {
			return lightOf("c-variant")
		}
	case 1:
		return lightOf("c-limit")
	}
	for _, t := range theme {
		if t.name == "c-"+label {
			return lightOf(t.name)
		}
	}
	return muted
}

func lightOf(name string) color.Color {
	for _, t := range theme {
		if t.name == name {
			v, err := strconv.ParseUint(t.light[1:], 16, 32)
			if err != nil {
				panic("report: theme colour " + t.light + " of " + name + " is not hexadecimal")
			}
			return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
		}
	}
	panic("report: the theme has no colour " + name)
}

// themeStyle is the style sheet that defines the colours.
func themeStyle() string {
	var light, dark strings.Builder
	for _, t := range theme {
		light.WriteString("--" + t.name + ":" + t.light + ";")
		dark.WriteString("--" + t.name + ":" + t.dark + ";")
	}
	return ":root{color-scheme:light dark;" + light.String() + "}@media(prefers-color-scheme:dark){:root{" + dark.String() + "}}"
}
