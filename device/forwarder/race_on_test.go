//go:build race

package main

// raceEnabled has the program built like its tests.
const raceEnabled = true
