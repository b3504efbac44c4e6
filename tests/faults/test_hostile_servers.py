"""Servers that mean harm, against a running box: it stays up, flat in memory, and serves the others."""

import itertools
import json
import os
import select
import socket
import ssl
import time
from contextlib import suppress

import pytest

from support.authority import Authority
from support.client import SASL, STREAM
from support.foreign import Federating, Names
from support.raw_peer import SERVER, GreenWire, RawPeer
from support.worlds import hausbote

PER_ADDRESS = 60
OF_ONE_SERVER = 41
STANZA = 65_536  # bytes, at most
EVIL = "evil.example"
HEADER = (
    f"<?xml version='1.0'?><stream:stream to='capulet.example' from='{EVIL}' version='1.0'"
    f" xmlns='{SERVER}' xmlns:stream='{STREAM}'>"
)


class Fort:
    """Juliet's box, a friendly one with Romeo's, and evil ones at whatever address they like."""

    def __init__(self, directory):
        self.directory = directory
        self.names, self.authority = Names(directory), Authority()
        limits = (
            f"limits.connections_per_address={PER_ADDRESS}",
            f"limits.stanza_bytes={STANZA}",
            "limits.bytes_per_second=0",
        )
        self.box, self.friend = [
            Federating(directory / domain, domain, address, self.names, self.authority, *limits)
            for domain, address in (
                ("capulet.example", "127.0.2.40"),
                ("montague.example", "127.0.2.41"),
            )
        ]
        self.evil = self.authority.issue(EVIL)
        self.juliet, self.romeo = self._come(self.box, "juliet"), self._come(self.friend, "romeo")
        self._numbers = itertools.count()
        self.talk()

    def _come(self, house, name):
        house.add_account(name)
        client = house.log_in(name, "home")
        client.sends("<presence/>")
        client.forget()
        return client

    def talk(self):
        """What matters: the others notice nothing."""
        for one, other in ((self.juliet, self.romeo), (self.romeo, self.juliet)):
            body = f"<body>{next(self._numbers)}</body>"
            one.sends(f"<message to='{other.jid}' type='chat'>{body}</message>")
            other.receives(f"<message from='{one.jid}'>{body}</message>")

    def wire(self, source):
        return GreenWire(
            self.box.address, self.box.s2s_port, self.directory, self.evil, source=source
        )

    def peer(self, source):
        return RawPeer(self.wire(source), self.box.domain)

    def proven(self, source):
        peer = self.peer(source)
        peer.prove(EVIL)
        return peer

    def memory(self):
        """Of s2s, in bytes."""
        services = json.loads(hausbote("status", "--json", state=self.box.state).stdout)
        return next(one["memory"] for one in services if one["service"] == "s2s")

    def close(self):
        self.box.close()
        self.friend.close()
        self.names.stop()


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    made = Fort(tmp_path_factory.mktemp("fort"))
    yield made
    made.close()


def is_ended(wire, seconds=5.0):
    """Whether the other side closes the connection, whatever it says before."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if wire.recv(left) == b"":
            return True
    return False


GARBAGE = {
    "noise": os.urandom(4_096),
    "zeros": bytes(4_096),
    "http": b"GET / HTTP/1.1\r\nHost: capulet.example\r\n\r\n",
    "angles": b"<" * 10_000,
    "entities": b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><x>&b;</x>",
    "latin": b"<?xml version='1.0' encoding='latin1'?><x>\xfc</x>",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_the_connection_and_nothing_else(fort, garbage):
    wire = fort.wire("127.0.9.1")
    wire.send(garbage)
    assert is_ended(wire)
    peer = fort.peer("127.0.9.1")
    peer.open(EVIL)
    peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert peer.next().tag.endswith("}proceed")
    peer.wire.send(garbage)  # instead of a handshake
    assert is_ended(peer.wire)
    peer = fort.proven("127.0.9.1")
    peer.wire.send(garbage)
    assert is_ended(peer.wire)
    fort.talk()


def test_a_stanza_without_an_end_is_cut_at_the_limit(fort):
    def pour():
        peer = fort.proven("127.0.9.2")
        peer.send(f"<message to='{fort.juliet.jid}' from='x@{EVIL}'><body>")
        with suppress(OSError):
            for _ in range(200):
                peer.send("x" * 65_536)
        peer.is_ended_with("policy-violation")

    pour()
    before = fort.memory()
    for _ in range(5):
        pour()
    assert fort.memory() - before < 4_000_000
    fort.talk()


def test_a_million_names_do_not_grow_the_memory(fort):
    def flood(number):
        peer = fort.proven("127.0.9.3")
        batch = 200
        with suppress(OSError):
            for start in range(0, 100_000, batch):
                inner = "".join(
                    f"<e{number}x{n} a{number}x{n}='' xmlns:p{number}x{n}='u{number}x{n}'/>"
                    for n in range(start, start + batch)
                )
                peer.send(
                    f"<message to='nobody@capulet.example' from='x@{EVIL}'>"
                    f"<x xmlns='urn:x'>{inner}</x></message>"
                )
        peer.wire.cut()

    flood(0)
    before = fort.memory()
    for number in range(1, 6):
        flood(number)
    assert fort.memory() - before < 20_000_000
    fort.talk()


def test_a_thousand_connections_of_one_address_are_mostly_refused(fort):
    def storm():
        held = []
        for _ in range(1_000):
            sock = socket.create_connection(
                (fort.box.address, fort.box.s2s_port), 10, ("127.0.9.4", 0)
            )
            with suppress(OSError):
                sock.sendall(HEADER.encode())
            held.append(sock)
        time.sleep(1)
        return held

    def is_open(sock):
        sock.setblocking(False)
        try:
            while sock.recv(65_536):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    for _ in range(2):
        before = fort.memory()
        held = storm()
        fort.talk()
        assert sum(map(is_open, held)) <= PER_ADDRESS
        for sock in held:
            sock.close()
        time.sleep(1)
    assert fort.memory() - before < 4_000_000
    fort.talk()


def test_one_server_has_only_so_many_streams_wherever_they_come_from(fort):
    streams = [fort.proven(f"127.0.9.{10 + number % 4}") for number in range(OF_ONE_SERVER)]
    for number in range(5):
        peer = fort.peer(f"127.0.9.{20 + number}")
        peer.start_tls(sender=EVIL)
        peer.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
        peer.is_ended_with("resource-constraint")
    fort.talk()
    for peer in streams:
        peer.wire.cut()


def test_whoever_trickles_keeps_nobody_waiting_and_no_place_for_ever(fort):
    """A byte now and then; one proves who it is and takes its time only then."""
    plain, encrypted, silent = (fort.peer("127.0.9.5") for _ in range(3))
    plain.open(EVIL)
    encrypted.start_tls(sender=EVIL)
    slow = fort.proven("127.0.9.6")
    said = iter(f"<message to='{fort.juliet.jid}' from='x@{EVIL}' type='chat'><body>slow</body>")
    begun, ended = time.monotonic(), set()
    while len(ended) < 3 and time.monotonic() - begun < 45:
        for peer in {plain, encrypted} - ended:
            with suppress(OSError):
                peer.send(" ")
            if peer.next(0.2) is not None or peer.ended:
                ended.add(peer)
        if silent.wire.recv(0.1) is not None:
            ended.add(silent)
        if (byte := next(said, None)) is not None:
            slow.send(byte)
        if len(ended) < 3:
            fort.talk()
    assert len(ended) == 3
    slow.send("".join(said) + "</message>")
    fort.juliet.receives(f"<message from='x@{EVIL}'><body>slow</body></message>")
    fort.talk()


def hello():
    """The first bytes of a TLS handshake."""
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(
            ssl.MemoryBIO(), outgoing, server_hostname="capulet.example"
        ).do_handshake()
    return outgoing.read()


def test_a_handshake_may_not_trickle_either(fort):
    """A byte of it now and then, on the port for direct TLS and after <proceed/>."""
    source = ("127.0.9.7", 0)
    direct = socket.create_connection((fort.box.address, fort.box.s2s_tls_port), 5, source)
    upgraded = socket.create_connection((fort.box.address, fort.box.s2s_port), 5, source)
    upgraded.sendall(HEADER.encode() + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    said = b""
    while b"<proceed" not in said:
        said += upgraded.recv(4_096)
    begun, left = time.monotonic(), {direct, upgraded}
    for byte in hello():
        for sock in list(left):
            with suppress(OSError):
                sock.sendall(bytes((byte,)))
            readable, _, _ = select.select([sock], [], [], 0.1)
            if readable and not _recv(sock):
                left.discard(sock)
        if not left or time.monotonic() - begun > 45:
            break
        fort.talk()
    assert not left
    fort.talk()


def _recv(sock):
    try:
        return sock.recv(4_096)
    except ConnectionResetError:
        return b""
