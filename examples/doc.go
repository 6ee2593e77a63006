// Package examples has one program per folder, numbered in the order in which one
// would learn; README.md has the table. Each runs by one command without arguments
// and ends by itself.
package examples
