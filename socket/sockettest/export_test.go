package sockettest

// CheckLeaksWithin is CheckLeaks with another grace.
var CheckLeaksWithin = checkLeaks
