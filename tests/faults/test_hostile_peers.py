"""Peers that mean harm, against a running box: it stays up, flat in memory, and serves the others."""

import base64
import json
import socket
import time

import pytest

from support.client import SASL, STREAM
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld, hausbote

HEADER = f"<?xml version='1.0'?><stream:stream to='h' version='1.0' xmlns='jabber:client' xmlns:stream='{STREAM}'>"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    """A box whose memory no other test has used."""
    state = tmp_path_factory.mktemp("fort") / "state"
    settings = ("limits.connections_per_address=30", "limits.bytes_per_second=0")
    world = RunningWorld(state, *settings, address="127.0.0.11")
    world.add_account("romeo")
    world.add_account("mercutio")
    yield world
    world.close()


def memory_of(world):
    services = json.loads(hausbote("status", "--json", state=world.state).stdout)
    return next(one["memory"] for one in services if one["service"] == "c2s")


def still_serves(world):
    romeo = world.client().log_in("romeo", PASSWORD)
    romeo.settle()
    romeo.leaves()


def test_bytes_behind_starttls_are_dropped(fort):
    client = fort.client()
    client.open()
    client.send(STARTTLS + "<iq type='get' id='evil'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert client.next().tag.endswith("}proceed")
    client.wire.secure()
    features = client.open()
    assert features.tag.endswith("}features")
    assert client.next(0.5) is None


def test_a_stream_header_behind_starttls_is_dropped(fort):
    client = fort.client()
    client.send(HEADER + STARTTLS + HEADER)
    while not (element := client.next()).tag.endswith("}proceed"):
        assert element.tag.endswith("}features")
    client.wire.secure()
    assert client.next(0.5) is None
    assert client.open().tag.endswith("}features")


@pytest.mark.parametrize(
    "early",
    [
        "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
        "<message to='romeo@h'><body>x</body></message>",
    ],
)
def test_nothing_is_said_in_plain_text(fort, early):
    client = fort.client()
    client.open()
    client.send(early)
    client.is_ended_with("not-authorized")


def test_a_login_in_plain_text_is_refused(fort):
    client = fort.client()
    features = client.open()
    assert [child.tag for child in features] == ["{urn:ietf:params:xml:ns:xmpp-tls}starttls"]
    client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>")
    assert client.next()[0].tag.endswith("}encryption-required")


def test_garbage_in_the_handshake_harms_nobody(fort):
    for garbage in (b"\x16\x03\x01\xff\xff" + b"x" * 500, b"GET / HTTP/1.1\r\n\r\n", b"\0" * 4000):
        wire = fort.direct_wire()
        wire.send(garbage)
        while wire.recv(5) not in (b"", None):
            pass
        wire.cut()
    still_serves(fort)


def test_an_address_has_only_so_many_connections(fort):
    time.sleep(1)
    held = [socket.create_connection((fort.address, fort.port)) for _ in range(30)]
    time.sleep(0.3)
    late = socket.create_connection((fort.address, fort.port))
    late.settimeout(3)
    try:
        late.sendall(HEADER.encode())
        refused = late.recv(100) == b""
    except ConnectionError:
        refused = True
    assert refused
    for sock in held:
        sock.close()
    time.sleep(0.3)
    still_serves(fort)


def test_a_login_that_takes_too_long_is_ended(fort):
    """Slow-loris: a byte now and then keeps nobody's place."""
    plain, encrypted, silent = fort.client(), fort.client(), fort.direct_wire()
    plain.open()
    encrypted.secure()
    begun = time.monotonic()
    ended = set()
    while len(ended) < 3 and time.monotonic() - begun < 45:
        for client in (plain, encrypted):
            if client not in ended:
                try:
                    client.send(" ")
                except OSError:
                    ended.add(client)
                    continue
                error = client.next(0.5)
                if error is not None:
                    assert error[0].tag.endswith("}connection-timeout")
                if error is not None or client.ended:
                    ended.add(client)
        if silent.recv(0.1) is not None:
            ended.add(silent)
    assert len(ended) == 3


def test_a_million_names_do_not_grow_the_memory(fort):
    def flood(number):
        client = fort.client().log_in("mercutio", PASSWORD)
        batch = 400
        for start in range(0, 100_000, batch):
            names = range(start, start + batch)
            inner = "".join(
                f"<e{number}x{n} a{number}x{n}='1' xmlns:p{number}x{n}='u{number}x{n}' p{number}x{n}:b='2'/>"
                for n in names
            )
            try:
                client.send(
                    f"<iq type='get' id='x' to='h'><query xmlns='jabber:iq:version'>{inner}</query></iq>"
                )
            except OSError:
                break
        client.wire.cut()

    flood(0)
    before = memory_of(fort)
    for number in range(1, 6):
        flood(number)
    assert memory_of(fort) - before < 20_000_000
    still_serves(fort)


def test_aborted_connections_do_not_grow_the_memory(fort):
    def abort_many(count):
        for _ in range(count):
            wire = fort.wire()
            wire.send(HEADER.encode())
            wire.cut()

    abort_many(300)
    before = memory_of(fort)
    abort_many(1500)
    time.sleep(1)
    assert memory_of(fort) - before < 4_000_000
    still_serves(fort)


def test_a_peer_that_does_not_read_is_dropped_and_nobody_waits(fort):
    deaf = fort.client().log_in("mercutio", PASSWORD, "deaf")
    deaf.sends("<presence/>")
    romeo = fort.client().log_in("romeo", PASSWORD)
    body = "x" * 100_000
    for _ in range(250):
        romeo.sends(f"<message to='mercutio@h/deaf' type='headline'><body>{body}</body></message>")
    romeo.settle()
    assert memory_of(fort) < 150_000_000
    deaf.wire.cut()
    romeo.leaves()


def test_offline_messages_of_any_size_arrive_at_the_next_login(fort):
    romeo = fort.client().log_in("romeo", PASSWORD)
    body = "x" * 250_000
    for number in range(40):
        romeo.sends(
            f"<message to='mercutio@h' type='chat' id='{number}'><body>{body}</body></message>"
        )
    romeo.settle()
    mercutio = fort.client().log_in("mercutio", PASSWORD)
    mercutio.sends("<presence/>")
    mercutio.receives("<presence/>")
    for number in range(40):
        mercutio.receives(f"<message id='{number}'/>")
    mercutio.leaves()


def test_offline_messages_are_kept_for_one_whose_connection_breaks(fort):
    romeo = fort.client().log_in("romeo", PASSWORD)
    body = "x" * 250_000
    for number in range(40):
        romeo.sends(
            f"<message to='mercutio@h' type='chat' id='{number}'><body>{body}</body></message>"
        )
    romeo.settle()
    for _ in range(3):
        broken = fort.client().log_in("mercutio", PASSWORD, "phone")
        broken.sends("<presence/>")
        broken.wire.cut()
    mercutio = fort.client().log_in("mercutio", PASSWORD, "phone")
    mercutio.sends("<presence/>")
    came = {mercutio.next().get("id") for _ in range(41)} - {None}
    assert "39" in came
    assert len(came) > 30  # what had left for the broken connection may be gone with it
    mercutio.leaves()


def test_costly_addresses_hold_nobody_up(fort):
    romeo = fort.client().log_in("romeo", PASSWORD)
    evil = fort.client().log_in("mercutio", PASSWORD)
    for number in range(200):
        name = "\u30fb" * (900 - number) + "\u30a2"
        evil.sends(f"<message to='{name}@h' id='{number}'/>")
    romeo.settle()  # answers, and not only after all of these
    for number in range(200):
        evil.receives(f"<message type='error' id='{number}'/>")


def test_too_many_bytes_are_slowed_down_not_lost(tmp_path):
    world = RunningWorld(
        tmp_path / "state",
        "limits.bytes_per_second=100000",
        "limits.burst_bytes=50000",
        address="127.0.0.12",
    )
    world.add_account("romeo")
    romeo = world.client().log_in("romeo", PASSWORD)
    romeo.sends("<presence/>")
    begun = time.monotonic()
    for number in range(30):
        romeo.sends(
            f"<message to='romeo@h' type='chat' id='{number}'><body>{'x' * 10_000}</body></message>"
        )
    romeo.receives("<presence/>")
    for number in range(30):
        romeo.receives(f"<message id='{number}'/>")
    assert time.monotonic() - begun > 1.5  # 300 kB at 100 kB/s, less the burst
    world.close()


def test_guessing_passwords_becomes_slow_and_then_impossible_for_that_address(tmp_path):
    world = RunningWorld(tmp_path / "state", "limits.login_attempts=4", address="127.0.0.13")
    world.add_account("romeo")
    outcomes = []
    for _ in range(6):
        client = world.client()
        client.secure()
        outcomes.append(
            client.authenticate(ScramClient("romeo", "x", "SCRAM-SHA-1"), "SCRAM-SHA-1")[0].tag
        )
        client.wire.cut()
    assert outcomes[0].endswith("}not-authorized")
    assert outcomes[-1].endswith("}temporary-auth-failure")
    world.close()


def test_challenges_got_beforehand_do_not_help_to_guess(tmp_path):
    world = RunningWorld(tmp_path / "state", "limits.login_attempts=3", address="127.0.0.14")
    world.add_account("romeo")
    waiting = []
    for number in range(8):
        client = world.client()
        client.secure()
        password = PASSWORD if number == 7 else "x"
        scram = ScramClient("romeo", password, "SCRAM-SHA-1")
        first = base64.b64encode(scram.first()).decode()
        client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>")
        waiting.append((client, scram, base64.b64decode(client.next().text)))
    outcomes = []
    for client, scram, challenge in waiting:
        final = base64.b64encode(scram.final(challenge)).decode()
        client.send(f"<response xmlns='{SASL}'>{final}</response>")
        outcomes.append(client.next(12)[0].tag.partition("}")[2])
    assert outcomes[-1] == "temporary-auth-failure"
    world.close()
