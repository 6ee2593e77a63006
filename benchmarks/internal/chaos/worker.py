"""One side of a pattern over libzmq: what chaos-worker is for Go."""

import errno
import json
import os
import struct
import sys
import threading
import time
import zlib

import zmq

TRYING, ACCEPTED, REFUSED, UNKNOWN, RECEIVED, TORN, FOREIGN = range(1, 8)
HEADER, TOPIC, NOBODY = 36, b"RWC1", 0xFFFFFFFF
TYPES = {
    "push-pull": (zmq.PUSH, zmq.PULL), "pub-sub": (zmq.PUB, zmq.SUB), "req-rep": (zmq.REQ, zmq.REP),
    "dealer-router": (zmq.DEALER, zmq.ROUTER), "pair": (zmq.PAIR, zmq.PAIR),
}
job = json.loads(sys.argv[1])
pattern, sends, load, settings = job["Pattern"], job["Sends"], job["Load"], job["Settings"]
log = os.open(job["Log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)


def add(entry, lane=0, seq=0, sent=0, by=0):
    os.write(log, struct.pack("<IIQQQ", by << 8 | entry, lane, seq, sent, time.time_ns()))


def make(lane, seq, sent, by, bodies):
    frames = []
    for i, body in enumerate(bodies):
        head = TOPIC + struct.pack("<IQQIHHI", lane, seq, sent, by, i, len(bodies), body)
        frame = head + os.urandom(body)
        frames.append(frame + struct.pack("<I", zlib.crc32(frame)))
    return frames


def read(frames):
    first = None
    for i, f in enumerate(frames):
        if len(f) < HEADER + 4 or f[:4] != TOPIC or struct.unpack("<I", f[-4:])[0] != zlib.crc32(f[:-4]):
            return None
        lane, seq, sent, by, index, count, body = struct.unpack("<IQQIHHI", f[4:HEADER])
        first = first or (lane, seq, sent, by)
        if (lane, seq, sent, by) != first or index != i or count != len(frames) or body != len(f) - HEADER - 4:
            return None
    return first


class Side:
    def __init__(self, context, lane):
        self.lane, self.context = lane, context
        self.stopped, self.ended, self.paused, self.oversize = False, False, False, 0
        self.open()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def open(self):
        s = self.socket = self.context.socket(TYPES[pattern][0 if sends else 1])
        s.setsockopt(zmq.SNDHWM, settings["SendHWM"])
        s.setsockopt(zmq.RCVHWM, settings["RecvHWM"])
        s.setsockopt(zmq.RECONNECT_IVL, max(1, settings["ReconnectMin"] // 1000000))
        s.setsockopt(zmq.RECONNECT_IVL_MAX, settings["ReconnectMax"] // 1000000)
        if settings["HeartbeatInterval"]:
            s.setsockopt(zmq.HEARTBEAT_IVL, settings["HeartbeatInterval"] // 1000000)
            s.setsockopt(zmq.HEARTBEAT_TIMEOUT, settings["HeartbeatTimeout"] // 1000000)
        if settings["MaxMessageSize"]:
            s.setsockopt(zmq.MAXMSGSIZE, settings["MaxMessageSize"])
        if settings["Identity"]:
            s.setsockopt(zmq.ROUTING_ID, settings["Identity"].encode())
        if pattern == "dealer-router" and not sends:
            s.setsockopt(zmq.ROUTER_MANDATORY, 1)
        if pattern == "pub-sub" and not sends:
            s.setsockopt(zmq.SUBSCRIBE, TOPIC[:2])
        if job["Bind"]:
            s.bind(job["Endpoint"])
        else:
            s.connect(job["Endpoint"])

    # A socket belongs to one thread, which looks at everything in turn.
    def run(self):
        seq, orphans, burst = 0, 0, 0
        while not self.ended:
            idle = True
            if sends and not self.stopped:
                seq += 1
                self.send(seq)
                burst += 1
                idle = burst % max(1, load["Burst"]) == 0
            if not self.paused and (not sends or pattern == "dealer-router"):
                while not self.paused:
                    try:
                        frames = self.socket.recv_multipart(zmq.NOBLOCK)
                    except zmq.ZMQError:
                        break
                    idle = sends
                    orphans += self.receive(frames, orphans)
            if idle:
                if sends or self.paused:
                    time.sleep(max(load["Pause"], 100000) / 1e9)
                else:
                    self.socket.poll(5)

    def bodies(self, seq):
        frames = 1 + seq % load["Frames"] if load["Frames"] > 1 else 1
        most = load["Big"] if load["Big"] > load["Body"] and seq % 50 == 0 else load["Body"]
        bodies = [(seq * 7919 + i * 104729) % (most + 1) for i in range(frames)]
        if self.oversize:
            bodies[-1], self.oversize = self.oversize, 0
        return bodies

    def send(self, seq):
        sent = time.time_ns()
        add(TRYING, self.lane, seq, sent)
        frames = make(self.lane, seq, sent, 0, self.bodies(seq))
        while True:
            try:
                self.socket.send_multipart(frames, zmq.NOBLOCK)
                break
            except zmq.Again:
                if self.stopped or self.ended:
                    add(REFUSED, self.lane, seq, sent)
                    return
                time.sleep(0.0005)
            except zmq.ZMQError:
                add(REFUSED, self.lane, seq, sent)
                return
        if pattern != "req-rep":
            add(ACCEPTED, self.lane, seq, sent)
            return
        end = time.monotonic() + load["Patience"] / 1e9
        while not self.socket.poll(20):
            if time.monotonic() > end or self.ended:
                # A REQ without its reply can do nothing any more: a new one.
                add(UNKNOWN, self.lane, seq, sent)
                self.socket.close(0)
                self.open()
                return
        got = read(self.socket.recv_multipart())
        add(ACCEPTED, self.lane, seq, sent)
        if got is None or got[0] == NOBODY:
            add(TORN)
        elif got[:2] != (self.lane, seq) or got[3] == 0:
            add(FOREIGN, *got)
        else:
            add(RECEIVED, *got)

    def receive(self, frames, orphans):
        route = []
        if pattern == "dealer-router" and not sends:
            n = 1 + job["Hops"]
            route, frames = frames[:n], frames[n:]
        got, torn = read(frames), 0
        if got is None or sends and got[0] == NOBODY:
            add(TORN)
            torn, got = 1, (NOBODY, orphans + 1, time.time_ns(), 0)
        else:
            add(RECEIVED, *got)
        if sends or pattern not in ("req-rep", "dealer-router"):
            return torn
        lane, seq, sent, _ = got
        add(TRYING, lane, seq, sent, self.lane)
        answer = make(lane, seq, sent, self.lane, [seq % 64])
        try:
            self.socket.send_multipart(route + answer, zmq.NOBLOCK)
            add(ACCEPTED, lane, seq, sent, self.lane)
        except zmq.ZMQError:
            add(REFUSED, lane, seq, sent, self.lane)
        return torn


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    context = zmq.Context()
    try:
        sides = [Side(context, job["Lane"] + i) for i in range(max(1, job["Sockets"]))]
    except zmq.ZMQError as e:
        say(error=str(e))
        return
    say(endpoint=job["Endpoint"])
    for line in sys.stdin:
        command, _, value = line.strip().partition(" ")
        number = int(value or 0)
        for s in sides:
            if command == "pause":
                s.paused = True
            elif command == "resume":
                s.paused = False
            elif command == "oversize":
                s.oversize = number
            elif command == "stop":
                s.stopped = True
            elif command == "close":
                s.stopped = s.ended = True
        if command == "close":
            for s in sides:
                s.thread.join()
                s.socket.close(number)
            context.term()
            os.close(log)
            say(final={})
            return
        say(received=0)


main()
os._exit(0)
