//go:build libzmq && cgo

#include "suite_loops.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

// As in engine.go.
enum {
	KIND_DATA = 0,
	KIND_END = 1,
	NUMBER_OFFSET = 1,
	DUE_OFFSET = 8,
	HEADER = 16, // what a loop writes of a body
	CLOCK_EVERY = 64,
};

// How a message is made. One PUSH and one PULL process over tcp, 2 cores, medians
// of 6 turns of 0.15 s each in turn, messages per second:
//
//	bytes        zmq_send  init_size  init_data
//	16            7900000    9540000    7300000
//	64            5640000    5680000    5990000
//	1024           905000     861000     888000
//	16384           63700      68900      71000
//	65536           24500      23500      31100
//	1048576          1800       2300       2900
//
// What is sent is made with zmq_msg_init_size, as libzmq's own perf tools do,
// and only its header is written. The variant "zero-copy" sends one buffer of the
// application again and again with zmq_msg_init_data: an application that can
// leave its bytes alone until libzmq is through with them.

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

// The Go runtime interrupts threads with signals: EINTR is not an error here.

static int send_message(void *socket, zmq_msg_t *msg, int flags)
{
	while (zmq_msg_send(msg, socket, flags) < 0)
		if (zmq_errno() != EINTR)
			return zmq_errno();
	return 0;
}

static int recv_any(void *socket, zmq_msg_t *msg)
{
	while (zmq_msg_recv(msg, socket, 0) < 0)
		if (zmq_errno() != EINTR)
			return zmq_errno();
	return 0;
}

// recv_body receives a message of one frame, or the last frame of one.
static int recv_body(void *socket, zmq_msg_t *msg, struct suite_slice *s)
{
	int rc = recv_any(socket, msg);
	if (rc)
		return rc;
	if (zmq_msg_size(msg) == s->size && !zmq_msg_more(msg))
		return 0;
	s->got = zmq_msg_size(msg);
	return SUITE_SIZE;
}

// send_header sends a new message that starts with these HEADER bytes.
static int send_header(void *socket, struct suite_slice *s, const char *header)
{
	zmq_msg_t msg;
	if (zmq_msg_init_size(&msg, s->size))
		return zmq_errno();
	memcpy(zmq_msg_data(&msg), header, HEADER);
	int rc = send_message(socket, &msg, 0);
	if (rc)
		zmq_msg_close(&msg);
	return rc;
}

static void mark(char *header, int kind, struct suite_slice *s)
{
	memset(header, 0, HEADER);
	header[0] = kind;
	header[NUMBER_OFFSET] = (char) s->number;
}

int suite_end_mark(void *socket, struct suite_slice *s)
{
	char header[HEADER];
	mark(header, KIND_END, s);
	return send_header(socket, s, header);
}

// shared is a body that many messages are sent from. The last to need it, the
// sender or an I/O thread of libzmq, frees it.
struct shared {
	int64_t users;
	char body[];
};

static void drop_shared(void *body, void *hint)
{
	(void) body;
	struct shared *b = hint;
	if (__atomic_sub_fetch(&b->users, 1, __ATOMIC_ACQ_REL) == 0)
		free(b);
}

static int send_shared(void *socket, struct suite_slice *s, struct shared *b)
{
	zmq_msg_t msg;
	__atomic_add_fetch(&b->users, 1, __ATOMIC_RELAXED);
	if (zmq_msg_init_data(&msg, b->body, s->size, drop_shared, b)) {
		drop_shared(NULL, b);
		return zmq_errno();
	}
	int rc = send_message(socket, &msg, 0);
	if (rc)
		zmq_msg_close(&msg);
	return rc;
}

static int send_fast_small(void *socket, struct suite_slice *s)
{
	char header[HEADER];
	mark(header, KIND_DATA, s);
	int64_t start = now();
	for (;;) {
		int rc = send_header(socket, s, header);
		if (rc)
			return rc;
		if (++s->count % CLOCK_EVERY == 0 && (s->elapsed = now() - start) >= s->duration)
			return 0;
	}
}

static int send_fast_large(void *socket, struct suite_slice *s)
{
	struct shared *b = calloc(1, sizeof *b + s->size);
	if (!b)
		return ENOMEM;
	b->users = 1;
	mark(b->body, KIND_DATA, s);
	int rc = 0;
	int64_t start = now();
	for (;;) {
		if ((rc = send_shared(socket, s, b)))
			break;
		if (++s->count % CLOCK_EVERY == 0 && (s->elapsed = now() - start) >= s->duration)
			break;
	}
	drop_shared(NULL, b);
	return rc;
}

// wait_until returns when it is due: at once if that is over.
static void wait_until(int64_t due)
{
	for (;;) {
		int64_t left = due - now();
		if (left <= 0)
			return;
		if (left > 1000000) {
			left -= 1000000;
			struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
			nanosleep(&t, NULL);
		} else {
			sched_yield();
		}
	}
}

static int send_paced(void *socket, struct suite_slice *s)
{
	char header[HEADER];
	mark(header, KIND_DATA, s);
	int64_t total = (int64_t) (s->rate * ((double) s->duration / 1e9));
	if (total < 1)
		total = 1;
	int64_t start = now();
	for (; s->count < total; s->count++) {
		int64_t at = start + (int64_t) ((double) s->count * 1e9 / s->rate);
		for (int i = 0; i < 8; i++)
			header[DUE_OFFSET + i] = (char) ((uint64_t) at >> (8 * i));
		wait_until(at);
		int rc = send_header(socket, s, header);
		if (rc)
			return rc;
	}
	s->elapsed = now() - start;
	return 0;
}

int suite_send(void *socket, struct suite_slice *s)
{
	int rc;
	if (s->rate > 0)
		rc = send_paced(socket, s);
	else if (s->zero_copy)
		rc = send_fast_large(socket, s);
	else
		rc = send_fast_small(socket, s);
	return rc ? rc : suite_end_mark(socket, s);
}

// add counts a message.
static void add(struct suite_slice *s)
{
	s->count++;
	if (s->count < CLOCK_EVERY || s->count % CLOCK_EVERY == 0) {
		s->last = now();
		s->timed = s->count;
		if (s->count == 1)
			s->first = s->last;
	}
}

// record keeps a latency. There is room for the next 65536 at first.
static int record(struct suite_slice *s, int64_t latency)
{
	if (s->recorded == s->capacity) {
		int64_t capacity = s->capacity ? 2 * s->capacity : 65536;
		int64_t *more = realloc(s->latencies, capacity * sizeof *more);
		if (!more)
			return ENOMEM;
		s->latencies = more;
		s->capacity = capacity;
	}
	s->latencies[s->recorded++] = latency;
	return 0;
}

void suite_release(struct suite_slice *s)
{
	free(s->latencies);
	s->latencies = NULL;
}

static int64_t due(const unsigned char *body)
{
	uint64_t at = 0;
	for (int i = 7; i >= 0; i--)
		at = at << 8 | body[DUE_OFFSET + i];
	return (int64_t) at;
}

int suite_receive(void *socket, struct suite_slice *s)
{
	int rc = 0;
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	for (int marks = s->marks; marks > 0;) {
		if ((rc = recv_body(socket, &msg, s)))
			break;
		const unsigned char *body = zmq_msg_data(&msg);
		if (body[NUMBER_OFFSET] != s->number)
			continue;
		if (body[0] == KIND_END) {
			marks--;
			continue;
		}
		if (s->rate > 0 && (rc = record(s, now() - due(body))))
			break;
		add(s);
	}
	zmq_msg_close(&msg);
	return rc;
}

// recv_answer receives an answer, which must be what was asked.
static int recv_answer(void *socket, zmq_msg_t *msg, int kind, struct suite_slice *s)
{
	int rc = recv_body(socket, msg, s);
	if (rc)
		return rc;
	const unsigned char *body = zmq_msg_data(msg);
	return body[0] == kind && body[NUMBER_OFFSET] == s->number ? 0 : SUITE_ANSWER;
}

// ask_last sends the end mark and waits for its answer.
static int ask_last(void *socket, zmq_msg_t *msg, struct suite_slice *s)
{
	int rc = suite_end_mark(socket, s);
	return rc ? rc : recv_answer(socket, msg, KIND_END, s);
}

int suite_ask(void *socket, struct suite_slice *s)
{
	int rc = 0;
	char header[HEADER];
	mark(header, KIND_DATA, s);
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	int64_t start = now();
	for (int64_t before = start; before - start < s->duration;) {
		if ((rc = send_header(socket, s, header)))
			break;
		if ((rc = recv_answer(socket, &msg, KIND_DATA, s)))
			break;
		int64_t after = now();
		if ((rc = record(s, after - before)))
			break;
		s->count++;
		before = after;
	}
	s->elapsed = now() - start;
	if (!rc)
		rc = ask_last(socket, &msg, s);
	zmq_msg_close(&msg);
	return rc;
}

int suite_ask_many(void *socket, struct suite_slice *s)
{
	int rc = 0, over = 0, flying = 0;
	char header[HEADER];
	mark(header, KIND_DATA, s);
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	int64_t start = now();
	for (; flying < s->outstanding && !rc; flying++)
		rc = send_header(socket, s, header);
	while (flying > 0 && !rc) {
		if ((rc = recv_answer(socket, &msg, KIND_DATA, s)))
			break;
		s->count++;
		if (!over)
			over = s->count % CLOCK_EVERY == 0 && now() - start >= s->duration;
		if (over)
			flying--;
		else
			rc = send_header(socket, s, header);
	}
	s->elapsed = now() - start;
	if (!rc)
		rc = ask_last(socket, &msg, s);
	zmq_msg_close(&msg);
	return rc;
}

// answer returns messages as they are, up to the end mark of the slice; if they
// are routed, to the peer that their first frame names.
static int answer(void *socket, struct suite_slice *s, int routed)
{
	int rc = 0, over = 0;
	zmq_msg_t peer, msg;
	zmq_msg_init(&peer);
	zmq_msg_init(&msg);
	while (!over) {
		if (routed && (rc = recv_any(socket, &peer)))
			break;
		if ((rc = recv_body(socket, &msg, s)))
			break;
		const unsigned char *body = zmq_msg_data(&msg);
		int ours = body[NUMBER_OFFSET] == s->number, end = body[0] == KIND_END;
		if (routed && (rc = send_message(socket, &peer, ZMQ_SNDMORE)))
			break;
		if ((rc = send_message(socket, &msg, 0)))
			break;
		if (ours && end)
			over = 1;
		else if (ours)
			add(s);
	}
	zmq_msg_close(&peer);
	zmq_msg_close(&msg);
	return rc;
}

int suite_answer(void *socket, struct suite_slice *s) { return answer(socket, s, 0); }

int suite_answer_routed(void *socket, struct suite_slice *s) { return answer(socket, s, 1); }

int suite_publish(void *socket, struct suite_slice *s)
{
	int64_t start = now(), next = 0;
	while ((s->elapsed = now() - start) < s->duration)
		for (int i = 0; i < CLOCK_EVERY; i++) {
			int rc = send_header(socket, s, s->topics + next * (int64_t) s->size);
			if (rc)
				return rc;
			s->count++;
			if (++next == s->topic_count)
				next = 0;
		}
	return suite_end_mark(socket, s);
}

int suite_subscribed(void *socket, int end_mark)
{
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	int rc = 0;
	for (;;) {
		if ((rc = recv_any(socket, &msg)))
			break;
		const char *body = zmq_msg_data(&msg);
		size_t size = zmq_msg_size(&msg);
		if (!end_mark && size == 1 && body[0] == 1)
			break;
		if (end_mark && size == 2 && body[0] == 1 && body[1] == KIND_END)
			break;
	}
	zmq_msg_close(&msg);
	return rc;
}

int suite_count_ready(void *monitor, int64_t count, struct suite_slice *s)
{
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	int rc = 0;
	while (s->count < count) {
		if ((rc = recv_any(monitor, &msg)))
			break;
		// An event is its number and a value, then a frame with an address.
		uint16_t event = 0;
		memcpy(&event, zmq_msg_data(&msg), sizeof event);
		if ((rc = recv_any(monitor, &msg)))
			break;
		if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			s->count++;
	}
	s->last = now();
	zmq_msg_close(&msg);
	return rc;
}

int suite_terminate(void *context)
{
	while (zmq_ctx_term(context))
		if (zmq_errno() != EINTR)
			return zmq_errno();
	return 0;
}
