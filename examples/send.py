"""Streams one turn to an entrain analyzer, in plain Python: what docs/protocol.md says, and nothing else.

    export ENTRAIN_STREAM_TOKEN=$(node bin/entrain.js keys token DIR --run RUN --stream STREAM)
    python3 examples/send.py ws://127.0.0.1:9464/stream RUN STREAM
"""

import base64, os, socket, struct, sys, time, zlib
from urllib.parse import urlsplit

try:
    from msgpack import packb as pack, unpackb as unpack
except ImportError:
    from msgpack_lite import pack, unpack

LAYERS, DIMS, TEXT_FEATURES = 2, 4, 4096


def connect(url, token):
    parts = urlsplit(url)
    line = socket.create_connection((parts.hostname, parts.port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    line.sendall((f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                  f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                  f"Authorization: Bearer {token}\r\n\r\n").encode())
    stream = line.makefile("rb")
    status = stream.readline().decode().strip()
    if " 101 " not in status:
        sys.exit(f"the analyzer refused the connection: {status}")
    while stream.readline().strip():
        pass
    return line, stream


def send(line, data, opcode=2):  # 2: binary, 10: pong; clients mask what they send
    size = len(data)
    head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else struct.pack(
        ">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size))
    line.sendall(head + b"\0\0\0\0" + data)  # a mask of zeros leaves the bytes as they are


def receive(stream):
    opcode, size = stream.read(2)
    size = struct.unpack(">H", stream.read(2))[0] if size == 126 else struct.unpack(
        ">Q", stream.read(8))[0] if size == 127 else size
    return opcode & 15, stream.read(size)


def frames(run, agent):
    model = {"name": "example", "sha256": "0" * 64, "layers": LAYERS, "dims": DIMS}
    yield {"type": "episode", "seq": 0, "run": run, "episode": "e1", "scenario": "s1", "pair": "py",
           "condition": "live", "seed": 1, "order": [agent, "peer"], "role": 0, "models": [model, model]}
    data = struct.pack(f"<{LAYERS * DIMS}e", *(i / 8 for i in range(LAYERS * DIMS)))  # float16
    yield {"type": "turn", "seq": 1, "episode": "e1", "turn": 0, "layers": [1, 2], "shape": [1, LAYERS, DIMS],
           "dtype": "f16", "tNs": 1, "crc32": zlib.crc32(data), "data": data,
           "text": bytes(4 * TEXT_FEATURES), "words": bytes(4 * DIMS)}


def main(url, run, stream_name):
    line, stream = connect(url, os.environ["ENTRAIN_STREAM_TOKEN"])
    todo, epoch, durable = list(frames(run, stream_name)), 1, -1
    hello = lambda: {"type": "hello", "version": [2, 0], "run": run, "stream": stream_name, "epoch": epoch,
                     "firstSeq": 0, "lastSeq": len(todo) - 1}
    send(line, pack(hello()))
    while durable < len(todo) - 1:
        opcode, data = receive(stream)
        if opcode == 9:
            send(line, data, 10)
        if opcode == 8:
            sys.exit(f"the analyzer closed the connection: {data[2:].decode()}")
        message = unpack(data) if opcode == 2 else {"type": None}
        if message["type"] == "welcome" and message["lastEpoch"] >= epoch:  # an earlier start used this epoch
            epoch = message["lastEpoch"] + 1
            send(line, pack(hello()))
        elif message["type"] in ("welcome", "resend"):
            first = message["durableSeq"] + 1 if message["type"] == "welcome" else message["from"]
            for frame in todo[first:]:
                send(line, pack(frame))
        elif message["type"] == "ack":
            durable = message["durableSeq"]
        elif message["type"] == "clock":
            now = time.monotonic_ns()
            send(line, pack({"type": "clock-reply", "id": message["id"], "sentNs": message["sentNs"],
                             "receivedNs": now, "repliedNs": now}))
    print(f"epoch {epoch}: recorded up to frame {durable}")


if __name__ == "__main__":
    if len(sys.argv) != 4 or "ENTRAIN_STREAM_TOKEN" not in os.environ:
        sys.exit(__doc__)
    main(*sys.argv[1:4])
