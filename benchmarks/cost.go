package main

import "runtime"

// usage is what this process has used so far. Nil means that it cannot be
// counted.
type usage struct {
	CPU      *float64 `json:",omitempty"` // seconds, user and system
	Allocs   *int64   `json:",omitempty"` // heap allocations of Go
	Syscalls *int64   `json:",omitempty"` // reads and writes
	Resident *int64   `json:",omitempty"` // bytes of memory
}

// readUsage asks for everything. It stops the world. What asking costs is not
// counted between a readUsage and its usedSince: hence the order.
func readUsage() usage {
	var u usage
	u.Resident = residentBytes()
	u.Syscalls = syscalls()
	u.Allocs = mallocs()
	u.CPU = cpuSeconds()
	return u
}

// usedSince is what was used since before. Resident is what it is.
func usedSince(before usage) usage {
	var u usage
	u.CPU = cpuSeconds()
	u.Allocs = mallocs()
	u.Syscalls = syscalls()
	u.Resident = residentBytes()
	if u.Syscalls != nil {
		*u.Syscalls-- // the read that found those before
	}
	return u.since(before)
}

func mallocs() *int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	allocs := int64(m.Mallocs)
	return &allocs
}

// since is what was used between before and u. Resident stays what it is.
func (u usage) since(before usage) usage {
	return usage{
		CPU:      combine(u.CPU, before.CPU, -1),
		Allocs:   combine(u.Allocs, before.Allocs, -1),
		Syscalls: combine(u.Syscalls, before.Syscalls, -1),
		Resident: u.Resident,
	}
}

// and is what two processes used together.
func (u usage) and(other usage) usage {
	return usage{
		CPU:      combine(u.CPU, other.CPU, 1),
		Allocs:   combine(u.Allocs, other.Allocs, 1),
		Syscalls: combine(u.Syscalls, other.Syscalls, 1),
		Resident: combine(u.Resident, other.Resident, 1),
	}
}

// combine is a plus sign times b, where both were counted.
func combine[T int64 | float64](a, b *T, sign T) *T {
	if a == nil || b == nil {
		return nil
	}
	sum := *a + sign**b
	return &sum
}

// per is a total for one of count.
func per[T int64 | float64](total *T, count int64) *float64 {
	if total == nil || count == 0 {
		return nil
	}
	share := float64(*total) / float64(count)
	return &share
}

// worksInC says of which libraries Go counts nothing: neither their
// allocations, nor, because they use send and recv, their reads and writes.
func worksInC(name string) bool { return name == "libzmq" || name == "pebbe" }
