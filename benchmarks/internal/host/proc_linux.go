package host

import (
	"os"
	"strconv"
	"strings"
)

// system returns the distribution and the kernel.
func system() string {
	name := "Linux"
	if release, err := os.ReadFile("/etc/os-release"); err == nil {
		if pretty, ok := field(string(release), "PRETTY_NAME", "="); ok {
			name = strings.Trim(pretty, `"'`) + ", Linux"
		}
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		name += " " + strings.TrimSpace(string(kernel))
	}
	return name
}

// processor returns the model of the first one.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	// x86 and RISC-V have the first, POWER and some ARM the others. Where
	// there is none, the device tree may name the board.
	for _, name := range []string{"model name", "cpu", "Model"} {
		if model, ok := field(string(info), name, ":"); ok {
			return model
		}
	}
	board, err := os.ReadFile("/proc/device-tree/model")
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(board), "\x00\n")
}

// memory returns the bytes of main memory.
func memory() int64 {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	total, _ := field(string(info), "MemTotal", ":")
	kilobytes, err := strconv.ParseInt(strings.TrimSuffix(total, " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// field returns the value of the first line that begins with name and the
// separator.
func field(text, name, separator string) (string, bool) {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}
