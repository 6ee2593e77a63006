package main

import "fmt"

// subscription is one of many that never match a topic, all of 16 bytes.
func subscription(i int) string { return fmt.Sprintf("s%015d", i) }

// topic is the start of a message that no subscription matches, although the
// i-th differs from it in its last byte only. Neither kind of message starts
// with its first byte.
func topic(i int) string { return fmt.Sprintf("s%014dx", i/10) }

// topicCount is how many different topics are published in turn. They are made
// before the slice; more would measure the cache misses of reading them.
const topicCount = 1024

// topics are bodies of the given size, spread evenly over the subscriptions.
func topics(size, subscriptions int) [][]byte {
	bodies := make([][]byte, topicCount)
	for i := range bodies {
		bodies[i] = make([]byte, size)
		copy(bodies[i], topic(i*subscriptions/topicCount))
	}
	return bodies
}
