// The loops of libzmq's perf tools. One call is one whole run.

#include <stddef.h>
#include <stdint.h>

// bench_run is what a loop is given, and what it leaves behind.
struct bench_run {
	size_t size;   // in: bytes of each message
	int64_t count; // in: messages, or round trips

	int64_t elapsed; // out: nanoseconds of what is measured
	int64_t index;   // out: the message at which it ended, counted from 0
	size_t got;      // out: with BENCH_WRONG, the bytes of that message
	int more;        // out: with BENCH_WRONG, whether further frames follow
};

// BENCH_WRONG says that a message did not have the shape that it must have.
#define BENCH_WRONG (-1)

// Each returns 0, an error number of libzmq, or BENCH_WRONG.
int bench_pull(void *socket, struct bench_run *run);
int bench_push(void *socket, struct bench_run *run);
int bench_reply(void *socket, struct bench_run *run);

// bench_request leaves the nanoseconds of each round trip in times. It counts
// index on from where it is, over calls.
int bench_request(void *socket, struct bench_run *run, int64_t *times);

// bench_publish sends until the context is shut down, from when somebody has
// subscribed.
int bench_publish(void *socket, struct bench_run *run);

// bench_terminate terminates a context, and returns 0 or an error number. In Go
// the number might be asked for on another thread than the one that failed.
int bench_terminate(void *context);

// bench_option sets an option that is an int, and returns 0 or an error number.
int bench_option(void *socket, int option, int value);
