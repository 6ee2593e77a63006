package main

import "time"

// Times are shown in one of these ways, and compared in none of them.

// utc is a time in an answer.
func utc(t time.Time) time.Time { return t.UTC() }

// millis is a time on the plot: milliseconds since 1970.
func millis(t time.Time) int64 { return t.UnixMilli() }

// clock is a time of the day, in a line of tap.
func clock(t time.Time, layout string) string { return t.Format(layout) }
