"""A typed peer with pyzmq and msgpack: python3 typed.py ROLE ENDPOINT"""

import struct
import sys
from datetime import datetime, timezone

import msgpack
import zmq

context = zmq.Context()


def publish(endpoint):
    sock = context.socket(zmq.XPUB)
    print(bind(sock, endpoint), flush=True)
    sock.recv()  # somebody has subscribed
    for i, symbol in enumerate(["usd/eur", "eur/usd", "eur/chf"]):
        quote = {"symbol": symbol, "bid": 1.25 + i, "size": -(10**i), "seen": datetime(2031, 5, 6, tzinfo=timezone.utc),
                 "raw": b"\x00\xff", "tags": {"venue": "x"}, "extra": None}
        sock.send_multipart([symbol.encode(), msgpack.packb(quote, datetime=True)])
    quote = ["eur/arr", 9.5, 1, datetime(2031, 5, 6, tzinfo=timezone.utc), b"", {}]
    sock.send_multipart([b"eur/arr", msgpack.packb(quote, datetime=True)])
    sock.send_multipart([b"eur/bad", msgpack.packb("no quote")])
    sys.stdin.read()


def subscribe(endpoint):
    sock = context.socket(zmq.SUB)
    sock.connect(endpoint)
    sock.subscribe("eur/")
    for _ in range(2):
        topic, body = sock.recv_multipart()
        quote = msgpack.unpackb(body, timestamp=3)
        if isinstance(quote, dict):
            quote = list(quote.values())
        print(topic.decode(), *quote, flush=True)


def call(endpoint):
    sock = context.socket(zmq.REQ)
    sock.connect(endpoint)
    header = struct.pack(">BcQQ", 1, b"Q", 1, 5_000_000)  # request 1, for 5 seconds
    sock.send_multipart([header, msgpack.packb({"a": 20, "b": 22})])
    header, *body = sock.recv_multipart()
    version, kind, number = struct.unpack(">BcQ", header)
    if kind == b"E":
        code, text = body
        raise RuntimeError(f"{code.decode()}: {text.decode()}")
    print(msgpack.unpackb(body[0]), flush=True)


def call_many(endpoint):
    sock = context.socket(zmq.DEALER)
    sock.connect(endpoint)
    for number in range(1, 101):
        header = struct.pack(">BcQQ", 1, b"Q", number, 0)
        sock.send_multipart([b"", header, msgpack.packb({"a": number, "b": 0 if number == 7 else number})])
    sock.send_multipart([b"", struct.pack(">BcQ", 1, b"C", 100)])  # 100 is not wanted any more
    for _ in range(99):
        _, header, *body = sock.recv_multipart()
        version, kind, number = struct.unpack(">BcQ", header)
        if kind == b"E":
            print(number, body[0].decode(), body[1].decode())
        else:
            assert msgpack.unpackb(body[0]) == {"sum": 2 * number}, (number, body)
    print("done", flush=True)
    sys.stdin.read()


def serve(endpoint):
    sock = context.socket(zmq.ROUTER)
    print(bind(sock, endpoint), flush=True)
    while True:
        frames = sock.recv_multipart()
        end = frames.index(b"") + 1  # the envelope goes back as it came
        envelope, header, body = frames[:end], frames[end], frames[end + 1:]
        version, kind, number = struct.unpack(">BcQ", header[:10])
        if kind == b"C":
            continue  # nobody waits for it any more
        request = msgpack.unpackb(body[0])
        if request["b"] == 0:
            reply = [struct.pack(">BcQ", 1, b"E", number), b"zero", b"b is 0"]
        else:
            total = {"sum": request["a"] + request["b"]}
            reply = [struct.pack(">BcQ", 1, b"R", number), msgpack.packb(total)]
        sock.send_multipart(envelope + reply)


def serve_one(endpoint):
    sock = context.socket(zmq.REP)
    print(bind(sock, endpoint), flush=True)
    while True:
        header, *body = sock.recv_multipart()
        total = {"sum": sum(msgpack.unpackb(body[0]).values())} if body else None
        sock.send_multipart([struct.pack(">BcQ", 1, b"R", *struct.unpack(">Q", header[2:10])), msgpack.packb(total)])


def bind(sock, endpoint):
    sock.bind(endpoint)
    return sock.getsockopt_string(zmq.LAST_ENDPOINT)


globals()[sys.argv[1]](sys.argv[2])
