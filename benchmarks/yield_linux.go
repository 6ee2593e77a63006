package main

import "syscall"

// yield lets another thread run that waits for this processor: what a loop in C
// does with sched_yield. Go's scheduler is not asked, which may wake another
// processor each time.
func yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
