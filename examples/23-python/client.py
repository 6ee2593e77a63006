"""Asks the server of examples/23-python, as any program that uses libzmq could."""

import sys

import zmq

endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555"

s = zmq.Context().socket(zmq.REQ)
s.connect(endpoint)
s.send_multipart([b"hello", b"from python"])
print(s.recv_multipart())
