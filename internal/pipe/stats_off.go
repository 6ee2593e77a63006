//go:build nostats

package pipe

const counting = false
