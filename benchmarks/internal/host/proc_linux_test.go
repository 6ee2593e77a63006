package host

import "testing"

func TestField(t *testing.T) {
	const text = "processor\t: 0\nmodel name\t: A: B\nMemTotal:       1024 kB\nPRETTY_NAME=\"X 1\"\n"
	for _, test := range []struct {
		name, separator, want string
		ok                    bool
	}{
		{"model name", ":", "A: B", true},
		{"MemTotal", ":", "1024 kB", true},
		{"PRETTY_NAME", "=", `"X 1"`, true},
		{"model", ":", "", false},
	} {
		if got, ok := field(text, test.name, test.separator); got != test.want || ok != test.ok {
			t.Errorf("%s: got %q, %t, want %q, %t", test.name, got, ok, test.want, test.ok)
		}
	}
}
