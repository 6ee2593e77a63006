//go:build !linux

package host

import "runtime"

func system() string { return runtime.GOOS }

func processor() string { return "" }

func memory() int64 { return 0 }
