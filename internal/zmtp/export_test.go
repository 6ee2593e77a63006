package zmtp

// CheckProperty lets a test give a size of value that no test should allocate.
var CheckProperty = checkProperty
