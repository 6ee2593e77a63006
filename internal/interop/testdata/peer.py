"""The libzmq side of the interop tests: sockets driven by JSON lines.

Each line on standard input is a command, an object with "op". Each is answered
by one line on standard output: an object with the result, or with "error".
Commands are executed one after the other; the process ends with its input.

Frames travel as hexadecimal strings. A "run" moves a whole plan of traffic,
which both sides compute for themselves: see traffic_test.go.
"""

import ctypes
import json
import sys
import threading
import time

import zmq
import zmq.auth
from zmq.utils.monitor import recv_monitor_message

LIMIT = 15.0  # seconds without any progress that one command may take: a guard against hanging
PATTERN = bytes(2 + j % 251 for j in range(251 * ((1 << 20) // 251 + 3)))
SYNC = [b"sync"]


class Mismatch(Exception):
    """What arrived is not what the plan says."""


def body(i, k, size):
    """The content of frame k of message i."""
    start = (i * 31 + k * 7) % 251
    return PATTERN[start:start + size]


def show(frames):
    """A short form of a message for an error text."""
    text = ["%d:%s" % (len(f), f[:24].hex()) for f in frames[:6]]
    return "%d frames [%s]" % (len(frames), " ".join(text))


def unhex(frames):
    return [bytes.fromhex(f) for f in frames]


class Plan:
    """One side's part of the traffic of a cell."""

    def __init__(self, spec):
        self.numbered = spec["numbered"]
        self.shapes = spec["shapes"] or []
        self.total = self.numbered + len(self.shapes)
        self.role = spec["role"]
        self.notice = spec["notice"]
        self.await_sync = spec["await_sync"]
        self.send_prefix = unhex(spec["send_prefix"])
        # None stands for any frame.
        self.recv_prefix = [None if f == "*" else bytes.fromhex(f) for f in spec["recv_prefix"]]

    def message(self, i):
        if i < self.numbered:
            return [b"m%d|" % i + body(i, 0, i % 64)]
        return [body(i, k, size) for k, size in enumerate(self.shapes[i - self.numbered])]

    def strip(self, frames):
        prefix = self.recv_prefix
        head = frames[:len(prefix)]
        if len(head) < len(prefix) or any(w is not None and w != g for w, g in zip(prefix, head)):
            raise Mismatch("got envelope %s, want %r" % (show(head), prefix))
        return frames[len(prefix):]

    def check(self, i, frames):
        """Whether frames are message i; a sync before the first is not one."""
        got = self.strip(frames)
        if got == self.message(i):
            return True
        if i == 0 and got == SYNC:
            return False
        raise Mismatch("message %d of %d: got %s, want %s" % (i, self.total, show(got), show(self.message(i))))


class Run:
    """Moves one plan over one socket."""

    def __init__(self, sock, plan):
        self.sock, self.plan = sock, plan
        self.sent = self.received = 0
        self.progress, self.since = -1, 0.0

    def expire(self):
        """Called when there is nothing to do; raises when that goes on for too long."""
        now = time.monotonic()
        if self.progress != self.sent + self.received:
            self.progress, self.since = self.sent + self.received, now
        if now > self.since + LIMIT:
            raise TimeoutError("%s: sent %d, received %d of %d" % (
                self.plan.role, self.sent, self.received, self.plan.total))

    def recv(self):
        while not self.sock.poll(1000, zmq.POLLIN):
            self.expire()
        return self.sock.recv_multipart()

    def try_send(self, frames):
        try:
            self.sock.send_multipart(frames, zmq.NOBLOCK)
            return True
        except zmq.Again:
            return False
        except zmq.ZMQError as e:
            if e.errno == zmq.EHOSTUNREACH and self.sent == 0:
                return False  # the peer is not here yet
            raise

    def send(self, frames):
        while not self.try_send(frames):
            self.expire()
            time.sleep(0.0005)

    def go(self):
        plan = self.plan
        if plan.notice:
            got = self.recv()
            if got != [b"\x01"]:
                raise Mismatch("got %s, want the subscription to everything" % show(got))
        if plan.await_sync:
            got = plan.strip(self.recv())
            if got != SYNC:
                raise Mismatch("got %s, want a sync" % show(got))
        getattr(self, plan.role)()

    def out(self):
        self.flow(True, False)

    def into(self):
        self.flow(False, True)

    def both(self):
        self.flow(True, True)

    def flow(self, sending, receiving):
        plan, total = self.plan, self.plan.total
        while sending and self.sent < total or receiving and self.received < total:
            before = self.sent + self.received
            for _ in range(200):
                if not sending or self.sent == total:
                    break
                if not self.try_send(plan.send_prefix + plan.message(self.sent)):
                    break
                self.sent += 1
            for _ in range(200):
                if not receiving or self.received == total:
                    break
                try:
                    got = self.sock.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self.received += plan.check(self.received, got)
            if before == self.sent + self.received:
                self.expire()
                if receiving:
                    self.sock.poll(1, zmq.POLLIN)
                else:
                    time.sleep(0.0005)

    def ask(self):
        """One request at a time, and its reply."""
        plan = self.plan
        while self.received < plan.total:
            self.send(plan.send_prefix + plan.message(self.received))
            self.sent += 1
            if not plan.check(self.received, self.recv()):
                raise Mismatch("a sync came as the reply to request %d" % self.received)
            self.received += 1

    def echo(self):
        """Answers every request with itself."""
        while self.received < self.plan.total:
            got = self.recv()
            if self.plan.check(self.received, got):
                self.received += 1
                self.send(got)


class Guard(threading.Thread):
    """A ZAP handler: pyzmq's, or one that answers with the statuses it was given, the last of them for ever."""

    def __init__(self, context, spec):
        super().__init__()
        self.statuses = spec.get("statuses")
        self.user = spec.get("user", "").encode()
        self.ended = threading.Event()
        self.auth = zmq.auth.Authenticator(context)
        self.auth.configure_plain(passwords=spec.get("passwords"))
        if spec.get("directory"):
            self.auth.configure_curve(location=spec["directory"])
        self.auth.start()
        self.start()

    def run(self):
        sock = self.auth.zap_socket
        while not self.ended.is_set():
            if not sock.poll(10, zmq.POLLIN):
                continue
            request = sock.recv_multipart()
            if self.statuses is None:
                self.auth.handle_zap_message(request)
                continue
            status = self.statuses[0]
            if len(self.statuses) > 1:
                self.statuses.pop(0)
            sock.send_multipart([b"1.0", request[1], status.encode(), b"as told", self.user, b""])
        self.auth.stop()

    def end(self):
        self.ended.set()
        self.join()


def czmq():
    """The C library czmq, with the signatures that are used here."""
    lib = ctypes.CDLL("libczmq.so.4")
    lib.zcert_new.restype = lib.zcert_load.restype = ctypes.c_void_p
    for name in ("zcert_public_txt", "zcert_secret_txt", "zcert_meta"):
        getattr(lib, name).restype = ctypes.c_char_p
    lib.zcert_load.argtypes = [ctypes.c_char_p]
    lib.zcert_save.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.zcert_public_txt.argtypes = lib.zcert_secret_txt.argtypes = [ctypes.c_void_p]
    lib.zcert_meta.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return lib


class Peer:
    def __init__(self):
        self.context = zmq.Context()
        self.guard = None
        self.sockets = {}
        self.monitors = {}

    def op_version(self, _):
        return {"libzmq": zmq.zmq_version(), "pyzmq": zmq.__version__}

    def op_open(self, c):
        sock = self.context.socket(getattr(zmq, c["type"]))
        sock.setsockopt(zmq.LINGER, 0)
        self.sockets[c["id"]] = sock
        for name, value in c.get("ints", {}).items():
            sock.setsockopt(getattr(zmq, name), value)
        for name, value in c.get("bytes", {}).items():
            sock.setsockopt(getattr(zmq, name), bytes.fromhex(value))
        if c.get("monitor"):
            self.monitors[c["id"]] = sock.get_monitor_socket()
        return {}

    def op_bind(self, c):
        sock = self.sockets[c["id"]]
        sock.bind(c["endpoint"])
        return {"endpoint": sock.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()}

    def op_connect(self, c):
        self.sockets[c["id"]].connect(c["endpoint"])
        return {}

    def op_close(self, c):
        """Closes a socket; with a linger, waits until that is over."""
        sock = self.sockets.pop(c["id"])
        monitor = self.monitors.pop(c["id"], None)
        if monitor is not None:
            sock.disable_monitor()  # has a last event for the monitor, and waits for ever if that is gone
            monitor.close(0)
        linger = c.get("linger", 0)
        sock.close(linger)
        if linger != 0:
            self.context.term()
            self.context = zmq.Context()
        return {}

    def op_topics(self, c):
        sock = self.sockets[c["id"]]
        for topic in unhex(c.get("subscribe", [])):
            sock.setsockopt(zmq.SUBSCRIBE, topic)
        for topic in unhex(c.get("unsubscribe", [])):
            sock.setsockopt(zmq.UNSUBSCRIBE, topic)
        return {}

    def op_send(self, c):
        sock = self.sockets[c["id"]]
        for frames in c["messages"]:
            if not sock.poll(0 if c.get("try") else int(LIMIT * 1000), zmq.POLLOUT):
                if c.get("try"):
                    break
                raise TimeoutError("no room to send")
            try:
                sock.send_multipart(unhex(frames), zmq.NOBLOCK)
            except zmq.Again:  # there was room: its connection has gone since
                if not c.get("try"):
                    raise
                break
        return {}

    def op_recv(self, c):
        """Receives count messages."""
        sock, got = self.sockets[c["id"]], []
        while len(got) < c["count"]:
            if not sock.poll(int(LIMIT * 1000), zmq.POLLIN):
                raise TimeoutError("received %d of %d" % (len(got), c["count"]))
            got.append([f.hex() for f in sock.recv_multipart()])
        return {"messages": got}

    def op_events(self, c):
        """The names of the monitor's events, for so many milliseconds or until one of them."""
        monitor, names, values = self.monitors[c["id"]], [], []
        deadline = time.monotonic() + c["for"] / 1000
        until = c.get("until")
        while not (until and names and names[-1].startswith(until)):
            left = deadline - time.monotonic()
            if left <= 0 or not monitor.poll(int(left * 1000) + 1, zmq.POLLIN):
                break
            event = recv_monitor_message(monitor)
            names.append(zmq.Event(event["event"]).name)
            values.append(event["value"])
        return {"events": names, "values": values}

    def op_guard(self, c):
        """Binds a ZAP handler."""
        self.guard = Guard(self.context, c)
        return {}

    def op_user(self, c):
        """Receives a message and tells who sent it: the user id that the ZAP handler gave."""
        sock = self.sockets[c["id"]]
        if not sock.poll(int(LIMIT * 1000), zmq.POLLIN):
            raise TimeoutError("received nothing")
        frames = sock.recv_multipart(copy=False)
        return {"messages": [[f.bytes.hex() for f in frames]], "text": [frames[0].get("User-Id")]}

    def op_pyzmq_write(self, c):
        """A new certificate of pyzmq: the files of its public and its secret half."""
        return {"text": zmq.auth.create_certificates(c["directory"], c["name"], c["metadata"])}

    def op_pyzmq_read(self, c):
        return {"text": [(k or b"").decode() for k in zmq.auth.load_certificate(c["path"])]}

    def op_czmq_write(self, c):
        """A new certificate of czmq: its public and its secret key."""
        lib = czmq()
        cert = lib.zcert_new()
        for name, value in c["metadata"].items():
            lib.zcert_set_meta(ctypes.c_void_p(cert), name.encode(), b"%s", value.encode())
        if lib.zcert_save(cert, c["path"].encode()) != 0:
            raise OSError("czmq cannot write " + c["path"])
        return {"text": [lib.zcert_public_txt(cert).decode(), lib.zcert_secret_txt(cert).decode()]}

    def op_czmq_read(self, c):
        """Its public and its secret key, and the metadata of one name."""
        lib = czmq()
        cert = lib.zcert_load(c["path"].encode())
        if not cert:
            raise OSError("czmq cannot read " + c["path"])
        meta = lib.zcert_meta(cert, c["meta"].encode()) or b""
        return {"text": [lib.zcert_public_txt(cert).decode(), lib.zcert_secret_txt(cert).decode(), meta.decode()]}

    def op_run(self, c):
        Run(self.sockets[c["id"]], Plan(c["plan"])).go()
        return {}

    def serve(self):
        for line in sys.stdin:
            command = json.loads(line)
            try:
                answer = getattr(self, "op_" + command["op"])(command)
            except Exception as e:  # the test that asked decides what it means
                answer = {"error": "%s: %s" % (type(e).__name__, e)}
            print(json.dumps(answer), flush=True)
        if self.guard:
            self.guard.end()
        self.context.destroy(linger=0)


if __name__ == "__main__":
    Peer().serve()
