"""What c2s keeps of browsers' connections that are cut: BOSH sessions and WebSockets.

    dropped.py [--count 20000] [--warm-up 2000] [--clients 3] [--kinds bosh websocket]

Starts a box of its own, on loopback.  Each visitor opens a session, every tenth begins to log in, and
is reset without a word; of BOSH's, with a request that is held.  After the warm-up, and after all of
one kind, the memory of c2s that is its own (PSS of anonymous pages) is taken when the silence that
BOSH sessions are given is over.  Prints one row per kind: megabytes before, just after the last one
and when all are over, and how many sessions were opened per second.
"""

import argparse
import multiprocessing
import os
import random
import socket
import ssl
import struct
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.worlds import RunningWorld

_SILENCE = {"bosh": 75.0, "websocket": 10.0}  # seconds: of a session 60, of its request 5, sweeps
_RESET = struct.pack("ii", 1, 0)
_BODY = "<body rid='{rid}'{more} xmlns='http://jabber.org/protocol/httpbind'>{inner}</body>"
_AUTH = (
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>"
    "biwsbj1yb21lbyxyPXg=</auth>"
)


class Visitor:
    def __init__(self, context, address, port):
        plain = socket.create_connection((address, port), timeout=30)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(plain, server_hostname="h")

    def read_until(self, end):
        got = b""
        while end not in got:
            data = self.sock.recv(65_536)
            if not data:
                raise ConnectionError(f"the box hung up: {got!r}")
            got += data
        return got

    def post(self, body):
        data = body.encode()
        head = f"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: {len(data)}\r\n\r\n"
        self.sock.sendall(head.encode() + data)

    def bosh(self, logs_in):
        rid = random.getrandbits(40)
        asked = " to='h' hold='1' wait='5' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
        self.post(_BODY.format(rid=rid, more=asked, inner=""))
        sid = self.read_until(b"</body>").partition(b" sid='")[2].partition(b"'")[0].decode()
        if not sid:
            raise ConnectionError("no session")
        if logs_in:
            rid += 1
            self.post(_BODY.format(rid=rid, more=f" sid='{sid}'", inner=_AUTH))
            self.read_until(b"</body>")
        self.post(_BODY.format(rid=rid + 1, more=f" sid='{sid}'", inner=""))

    def websocket(self, logs_in):
        self.sock.sendall(
            b"GET /xmpp-websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
        )
        self.read_until(b"\r\n\r\n")
        self.frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0'/>")
        self.read_until(b"features>")
        if logs_in:
            self.frame(_AUTH)
            self.read_until(b"challenge>")

    def frame(self, text):
        """One message, masked with zeros."""
        data = text.encode()
        length = (
            bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        )
        self.sock.sendall(b"\x81" + length + bytes(4) + data)


def visit(address, port, kind, count):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    for number in range(count):
        visitor = Visitor(context, address, port)
        getattr(visitor, kind)(number % 10 == 0)
        visitor.sock.close()


def visits(world, kind, count, clients):
    """Sessions per second."""
    began = time.monotonic()
    jobs = [(world.address, world.web_port, kind, count // clients)] * clients
    processes = [multiprocessing.Process(target=visit, args=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise SystemExit("a visitor failed")
    return count / (time.monotonic() - began)


def c2s_of(world):
    """The id of its process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"hausbote.c2s" in command and os.fsencode(world.state) in command:
                return int(entry.name)
    raise SystemExit("c2s is not there")


def megabytes(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no memory")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--warm-up", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=["bosh", "websocket"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        world = RunningWorld(
            Path(directory) / "state", "limits.connections_per_address=0", "limits.connections=0"
        )
        try:
            world.add_account("romeo")
            pid = c2s_of(world)
            for kind in options.kinds:
                visits(world, kind, options.warm_up, options.clients)
            time.sleep(max(_SILENCE.values()))
            print("| dropped | before | at the last | after | sessions/s |\n|---|---|---|---|---|")
            for kind in options.kinds:
                before = megabytes(pid)
                rate = visits(world, kind, options.count, options.clients)
                most = megabytes(pid)
                time.sleep(_SILENCE[kind])
                figures = " | ".join(f"{mb:.1f} MB" for mb in (before, most, megabytes(pid)))
                print(f"| {options.count} {kind} | {figures} | {rate:.0f} |", flush=True)
        finally:
            world.close()


if __name__ == "__main__":
    main()
