// The loops of the suite over libzmq: what newLinkStation does for libraries
// written in Go, step by step. One call is one socket's part of one slice.

#include <stddef.h>
#include <stdint.h>

// suite_slice is what a loop is given, and what it leaves behind.
struct suite_slice {
	// In.
	size_t size;          // bytes of each body
	int64_t duration;     // nanoseconds
	double rate;          // messages per second of this socket; 0: as many as possible
	unsigned char number; // of the slice
	int marks;            // end marks that end receiving
	int outstanding;      // requests in flight
	int zero_copy;        // send one buffer again and again
	const char *topics;   // bodies to publish, one after the other
	int64_t topic_count;

	// Out. The first four are a delivery.
	int64_t count;
	int64_t first, last;
	int64_t timed;
	int64_t elapsed;    // nanoseconds of what was sent or asked
	int64_t *latencies; // in nanoseconds; suite_release frees them
	int64_t recorded;   // how many there are
	int64_t capacity;
	size_t got;         // with SUITE_SIZE, the bytes of that message
};

// SUITE_SIZE and SUITE_ANSWER say that a message did not have the size, or was
// not the answer, that it must have been.
#define SUITE_SIZE (-1)
#define SUITE_ANSWER (-2)

// Each returns 0, an error number of libzmq, SUITE_SIZE or SUITE_ANSWER. A
// context that is shut down ends them with ETERM.
int suite_send(void *socket, struct suite_slice *s);
int suite_receive(void *socket, struct suite_slice *s);
int suite_ask(void *socket, struct suite_slice *s);
int suite_ask_many(void *socket, struct suite_slice *s);
int suite_answer(void *socket, struct suite_slice *s);
int suite_answer_routed(void *socket, struct suite_slice *s);
int suite_publish(void *socket, struct suite_slice *s);
int suite_end_mark(void *socket, struct suite_slice *s);

// suite_terminate terminates a context, and returns 0 or an error number. In Go
// the number might be asked for on another thread than the one that failed.
int suite_terminate(void *context);

// suite_subscribed receives subscriptions from an XPUB until the one to
// everything, or to the end mark.
int suite_subscribed(void *socket, int end_mark);

// suite_count_ready receives events from a monitor until count peers are
// ready, and says in last when that was.
int suite_count_ready(void *monitor, int64_t count, struct suite_slice *s);

void suite_release(struct suite_slice *s);
