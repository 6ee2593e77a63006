"""The other side of a perf tool, over libzmq: role, endpoint, size, count."""
import sys
import zmq

role, endpoint, size, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
kinds = {"local_thr": zmq.PULL, "remote_thr": zmq.PUSH, "local_lat": zmq.REP, "remote_lat": zmq.REQ}
context = zmq.Context()
socket = context.socket(kinds[role])
if role.startswith("local"):
    socket.bind(endpoint)
    print("bound to", socket.getsockopt_string(zmq.LAST_ENDPOINT), file=sys.stderr, flush=True)
else:
    socket.connect(endpoint)


def receive():
    body = socket.recv()
    assert len(body) == size, f"got {len(body)} bytes, want {size}"
    assert not socket.getsockopt(zmq.RCVMORE), "got more than one frame"
    return body


for _ in range(count):
    if role == "local_thr":
        receive()
    elif role == "remote_thr":
        socket.send(bytes(size))
    elif role == "local_lat":
        socket.send(receive())
    else:
        socket.send(bytes(size))
        receive()
socket.close()
context.term()  # when everything is delivered
