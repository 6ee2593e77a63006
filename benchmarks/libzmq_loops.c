//go:build libzmq && cgo

#include "libzmq_loops.h"

#include <errno.h>
#include <time.h>
#include <zmq.h>

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

// The Go runtime interrupts threads with signals: EINTR is not an error here.

static int recv_one(void *socket, zmq_msg_t *msg, struct bench_run *run)
{
	while (zmq_msg_recv(msg, socket, 0) < 0)
		if (zmq_errno() != EINTR)
			return zmq_errno();
	if (zmq_msg_size(msg) == run->size && !zmq_msg_more(msg))
		return 0;
	run->got = zmq_msg_size(msg);
	run->more = zmq_msg_more(msg);
	return BENCH_WRONG;
}

static int send_one(void *socket, zmq_msg_t *msg)
{
	while (zmq_msg_send(msg, socket, 0) < 0)
		if (zmq_errno() != EINTR)
			return zmq_errno();
	return 0;
}

// send_new sends a message as libzmq's perf tools do: made for each send, its
// bytes left as they are. Copying a buffer into it would be slower.
static int send_new(void *socket, struct bench_run *run)
{
	zmq_msg_t msg;
	if (zmq_msg_init_size(&msg, run->size))
		return zmq_errno();
	int rc = send_one(socket, &msg);
	if (rc)
		zmq_msg_close(&msg);
	return rc;
}

int bench_pull(void *socket, struct bench_run *run)
{
	int rc = 0;
	int64_t start = 0;
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	for (run->index = 0; run->index < run->count; run->index++) {
		if ((rc = recv_one(socket, &msg, run)))
			break;
		if (run->index == 0)
			start = now();
	}
	run->elapsed = now() - start;
	zmq_msg_close(&msg);
	return rc;
}

int bench_push(void *socket, struct bench_run *run)
{
	int rc = 0;
	for (run->index = 0; run->index < run->count; run->index++)
		if ((rc = send_new(socket, run)))
			break;
	return rc;
}

int bench_reply(void *socket, struct bench_run *run)
{
	int rc = 0;
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	for (run->index = 0; run->index < run->count; run->index++) {
		if ((rc = recv_one(socket, &msg, run)))
			break;
		if ((rc = send_one(socket, &msg)))
			break;
	}
	zmq_msg_close(&msg);
	return rc;
}

int bench_request(void *socket, struct bench_run *run, int64_t *times)
{
	int rc = 0;
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	int64_t before = now();
	for (int64_t i = 0; i < run->count; i++, run->index++) {
		if ((rc = send_new(socket, run)))
			break;
		if ((rc = recv_one(socket, &msg, run)))
			break;
		int64_t after = now();
		times[i] = after - before;
		before = after;
	}
	zmq_msg_close(&msg);
	return rc;
}

int bench_publish(void *socket, struct bench_run *run)
{
	char subscription[2];
	int n;
	while ((n = zmq_recv(socket, subscription, sizeof subscription, 0)) < 0)
		if (zmq_errno() != EINTR)
			return zmq_errno();
	if (n != 1 || subscription[0] != 1) {
		run->got = n;
		return BENCH_WRONG;
	}
	for (run->index = 0;; run->index++) {
		int rc = send_new(socket, run);
		if (rc)
			return rc;
	}
}

int bench_option(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value) ? zmq_errno() : 0;
}

int bench_terminate(void *context)
{
	while (zmq_ctx_term(context))
		if (zmq_errno() != EINTR)
			return zmq_errno();
	return 0;
}
