"""Uploads that are not what they say, broken HTTP, full disks: a clear no, and nothing is kept."""

import contextlib
import json
import os
import shutil
import subprocess
import time

import pytest

from support.files import http_, put, raw, slot, tls
from support.worlds import PASSWORD, RunningWorld, hausbote

BODY = os.urandom(600_000)


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    state = tmp_path_factory.mktemp("uploadfort") / "state"
    world = RunningWorld(state, "upload.slot_seconds=2", address="127.0.0.33")
    world.add_account("romeo")
    yield world
    world.close()


@pytest.fixture(scope="module")
def romeo(fort):
    client = fort.client().log_in("romeo", PASSWORD)
    yield client
    client.wire.cut()


@pytest.fixture
def place(romeo):
    return slot(romeo, len(BODY))


def kept(world):
    """Everything under uploads/, unfinished files among it."""
    return {path.name for path in (world.state / "uploads").rglob("*") if path.is_file()}


def begun(world, *places):
    """Returns when uploads are being written."""
    deadline = time.monotonic() + 10
    while {place.id for place in places} - kept(world):
        assert time.monotonic() < deadline, "nothing is being written"
        time.sleep(0.01)


def left_alone(world, before):
    """Nothing came to stay; what is being dropped may take a moment."""
    deadline = time.monotonic() + 10
    while kept(world) != before and time.monotonic() < deadline:
        time.sleep(0.05)
    return kept(world) == before


def still_serves(world, client):
    place = slot(client, len(BODY))
    assert put(world, place, BODY)[0] == 201
    assert http_(world, "GET", place.path)[2] == BODY


def says(answer, status):
    """One sentence, and nothing of anybody."""
    assert answer[0] == status
    sentence = answer[2].decode()
    assert sentence.endswith(".\n")
    assert sentence.count("\n") == 1
    assert not set(sentence.lower().split()) & {"romeo", "romeo@h", "traceback", "/"}


def head(place, length, *more, method=b"PUT", host=b"upload.h"):
    fields = [
        b"Host: " + host,
        b"Authorization: " + place.headers["Authorization"].encode(),
        b"Content-Length: " + length if length is not None else b"X: y",
        *more,
    ]
    return b"%s %s HTTP/1.1\r\n%s\r\n\r\n" % (method, place.path.encode(), b"\r\n".join(fields))


# -- what is not as announced ------------------------------------------------------------------


def test_another_size_is_refused(fort, place):
    before = kept(fort)
    says(put(fort, place, BODY + b"x"), 413)
    says(put(fort, place, BODY[1:]), 400)
    says(put(fort, place, b""), 400)
    assert kept(fort) == before
    assert put(fort, place, BODY)[0] == 201


def test_another_type_is_refused(fort, romeo):
    place = slot(romeo, 4, "x.png", "image/png")
    says(put(fort, place, b"four", Content_Type="text/html"), 415)
    says(put(fort, place, b"four", Content_Type="not a type"), 415)
    assert put(fort, place, b"four", Content_Type="Image/PNG; q=1")[0] == 201


def test_a_file_comes_as_a_whole_and_as_it_is(fort, place):
    before = kept(fort)
    says(put(fort, place, BODY, Content_Range=f"bytes 0-599999/{len(BODY)}"), 400)
    says(put(fort, place, BODY, Content_Encoding="gzip"), 415)
    says(put(fort, place, BODY, If_Match="*"), 412)
    assert kept(fort) == before
    assert put(fort, place, BODY, Content_Encoding="identity", If_None_Match="*")[0] == 201


def test_four_gigabytes_are_not_waited_for(fort, romeo, place):
    before = kept(fort)
    sock = tls(fort)
    sock.sendall(head(place, b"4294967296") + b"x" * 10_000)
    assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")
    sock.close()
    assert raw(fort, head(place, b"18446744073709551617")).startswith(b"HTTP/1.1 400 ")
    assert kept(fort) == before
    still_serves(fort, romeo)


def test_a_file_comes_once(fort, place):
    assert put(fort, place, BODY)[0] == 201
    says(put(fort, place, BODY[::-1]), 409)
    assert http_(fort, "GET", place.path)[2] == BODY


def test_two_at_once_are_one(fort, place):
    sock = tls(fort)
    sock.sendall(head(place, b"%d" % len(BODY)) + BODY[:400_000])
    begun(fort, place)
    says(put(fort, place, BODY), 409)
    sock.sendall(BODY[400_000:])
    assert sock.recv(1000).startswith(b"HTTP/1.1 201")
    assert http_(fort, "GET", place.path)[2] == BODY


def test_another_key_opens_nothing(fort, romeo, place):
    other = slot(romeo, len(BODY))
    for key in ("", "Bearer", "Bearer x", other.headers["Authorization"], "Basic cm9tZW86cm9tZW8="):
        says(put(fort, place, BODY, Authorization=key), 403)
    says(http_(fort, "PUT", place.path, BODY), 403)
    assert put(fort, place, BODY)[0] == 201


def test_a_slot_is_good_for_its_time(fort, place):
    time.sleep(3)
    says(put(fort, place, BODY), 410)
    assert http_(fort, "GET", place.path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/", "/x", "/" + "0" * 32, "/" + "0" * 32 + "/x", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
        "/" + "0" * 31, "/" + "A" * 32 + "/x", "//" + "0" * 32, "/incoming/" + "0" * 32, "/\x7f",
        "/00/" + "0" * 32, "/" + "0" * 32 + "/../../hausbote.db", "/%00" + "0" * 32, "*",
    ],
)  # fmt: skip
def test_there_is_nothing_anywhere_else(fort, path):
    for method in ("GET", "PUT"):
        answer = raw(
            fort,
            f"{method} {path} HTTP/1.1\r\nHost: upload.h\r\nConnection: close\r\n\r\n".encode(),
        )
        assert answer.split(b"\r\n")[0] in (b"HTTP/1.1 404 Not Found", b"HTTP/1.1 400 Bad Request")


@pytest.mark.parametrize("host", [b"h", b"rooms.h", b"evil.example", b"", b"upload.h.evil.example"])
def test_other_names_are_other_servers(fort, place, host):
    answer = raw(fort, head(place, None, b"Connection: close", method=b"GET", host=host))
    assert answer.startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "MOVE"])
def test_other_methods_do_nothing(fort, place, method):
    assert put(fort, place, BODY)[0] == 201
    status, headers, _ = http_(fort, method, place.path)
    assert status == 405
    assert headers["Allow"] == "OPTIONS, HEAD, GET, PUT"
    assert http_(fort, "GET", place.path)[0] == 200


# -- broken and ambiguous requests -------------------------------------------------------------


def smuggled(place):
    """Requests of which two programs might think differently where they end."""
    size, path = len(BODY), place.path.encode()
    inner = b"GET /inner HTTP/1.1\r\nHost: upload.h\r\n\r\n"
    return {
        "two sizes": head(place, b"%d" % size, b"Content-Length: 5"),
        "two sizes that agree": head(place, b"%d" % size, b"Content-Length: %d" % size),
        "a list of sizes": head(place, b"%d, %d" % (size, size)),
        "a sign": head(place, b"+%d" % size),
        "a minus": head(place, b"-1"),
        "hexadecimal": head(place, b"0x10"),
        "an underscore": head(place, b"1_000"),
        "no number": head(place, b"many"),
        "no size": head(place, b""),
        "other digits": head(place, "٥".encode()),
        "size and chunks": head(place, b"%d" % len(inner), b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + inner,
        "chunks by another name": head(place, None, b"Transfer-Encoding: xchunked") + b"0\r\n\r\n" + inner,
        "chunks and identity": head(place, None, b"Transfer-Encoding: identity, chunked") + b"0\r\n\r\n",
        "chunks twice": head(place, None, b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"),
        "a space before the colon": head(place, None, b"Content-Length : 5"),
        "a folded line": head(place, None, b"X-A: b\r\n Content-Length: 5"),
        "a tab in front": head(place, None, b"\tContent-Length: 5"),
        "no colon": head(place, None, b"Content-Length"),
        "a null": head(place, None, b"X-A: b\x00c"),
        "a return alone": head(place, None, b"X-A: b\rContent-Length: 5"),
        "two hosts": head(place, b"%d" % size, b"Host: evil.example"),
        "two keys": head(place, b"%d" % size, b"Authorization: Bearer x"),
        "version 0.9": b"GET " + path + b"\r\n",
        "version 2": b"PUT " + path + b" HTTP/2.0\r\nHost: upload.h\r\n\r\n",
        "four words": b"PUT " + path + b" x HTTP/1.1\r\nHost: upload.h\r\n\r\n",
        "two spaces": b"PUT  " + path + b" HTTP/1.1\r\nHost: upload.h\r\n\r\n",
        "a tab": b"PUT\t" + path + b" HTTP/1.1\r\nHost: upload.h\r\n\r\n",
    }  # fmt: skip


@pytest.mark.parametrize(
    "kind", smuggled(slot.__globals__["Place"]("", "/x", {"Authorization": "x"}))
)
def test_requests_that_two_programs_might_read_differently_are_refused(fort, place, kind):
    before = kept(fort)
    answer = raw(fort, smuggled(place)[kind])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1, "the rest was taken for another request"
    assert kept(fort) == before


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: upload.h\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: upload.h\r\nX: " + b"y" * 17_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: upload.h\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.0\r\nHost: upload.h\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"HEAD / HTTP/1.1\r\nHost: upload.h\r\nContent-Length: 5\r\n\r\nhello", b"400"),
    ],
)
def test_heads_have_their_bounds(fort, request_, status):
    answer = raw(fort, request_)
    assert answer.split()[1] == status
    assert answer.count(b"HTTP/1.1 ") == 1


def test_an_address_may_be_told_as_a_whole(fort, place):
    """As to a proxy (RFC 9112 §3.2.2); then it, and not the field, says whose it is."""
    assert put(fort, place, BODY)[0] == 201
    rest = b" HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n"
    path = place.path.encode()
    assert raw(fort, b"GET https://upload.h" + path + rest).endswith(BODY)
    assert raw(fort, b"GET https://other" + path + rest).startswith(b"HTTP/1.1 421 ")
    with_ours = rest.replace(b"other", b"upload.h")
    assert raw(fort, b"GET https://other" + path + with_ours).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize(
    ("version", "told"),
    [(b"HTTP/1.1", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 "), (b"HTTP/1.0", b"HTTP/1.1 201 ")],
)
def test_who_waits_to_be_told_to_go_on_is_told(fort, place, version, told):
    asked = head(place, b"%d" % len(BODY), b"Expect: 100-Continue", b"Connection: close")
    answer = raw(fort, asked.replace(b"HTTP/1.1", version) + BODY)
    assert answer.startswith(told)


def test_a_body_of_unknown_size_is_refused(fort, place):
    answer = raw(
        fort, head(place, None, b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_what_follows_a_refused_upload_is_no_request(fort, place):
    inner = b"GET /inner HTTP/1.1\r\nHost: upload.h\r\n\r\n"
    answer = raw(fort, head(place, b"%d" % len(inner)) + inner)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_the_end_of_a_connection_is_told(fort, place):
    """Without close_notify a client cannot know whether somebody cut the answer short."""
    sock = tls(fort)
    sock.suppress_ragged_eofs = False
    sock.sendall(head(place, b"1") + b"x")
    answer = b""
    while piece := sock.recv(1000):
        answer += piece
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_longer_body_is_not_taken_for_the_file(fort, place):
    sock = tls(fort)
    sock.sendall(head(place, b"%d" % len(BODY)) + BODY + b"and more\r\n\r\n")
    answer = b""
    with contextlib.suppress(OSError):
        while piece := sock.recv(1000):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b"HTTP/1.1 400 " in answer
    assert http_(fort, "GET", place.path)[2] == BODY


def test_a_shorter_body_leaves_nothing(fort, romeo, place):
    before = kept(fort)
    sock = tls(fort)
    sock.sendall(head(place, b"%d" % len(BODY)) + BODY[:400_000])
    begun(fort, place)
    sock.close()
    assert left_alone(fort, before)
    assert http_(fort, "GET", place.path)[0] == 404
    still_serves(fort, romeo)


def test_a_slow_body_is_ended_and_leaves_nothing(fort, romeo, place):
    before = kept(fort)
    sock = tls(fort, 60)
    sock.sendall(head(place, b"%d" % len(BODY)) + BODY[:400_000])
    begun(fort, place)
    answer = sock.recv(1000)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert left_alone(fort, before)
    still_serves(fort, romeo)


def test_curl_is_told_no_before_it_sends(fort, romeo, tmp_path):
    """With Expect: 100-continue a body that is not wanted is never sent."""
    place = slot(romeo, 5_000_000)
    file = tmp_path / "file"
    file.write_bytes(b"x" * 5_000_000)
    told = f"Authorization: {place.headers['Authorization']}"

    def curl(*options):
        command = [
            "curl",
            "-sS",
            "--http1.1",
            "--cacert",
            fort.ca,
            "-w",
            "%{http_code} %{size_upload}",
        ]
        to = [
            "--connect-to",
            f"::{fort.address}:{fort.upload_port}",
            f"https://upload.h{place.path}",
        ]
        done = subprocess.run([*command, *options, *to], capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    sent = curl("-T", file, "-H", "Expect: 100-continue", "-o", "/dev/null")
    assert sent == b"403 0"
    assert curl("-T", file, "-H", told) == b"201 5000000"
    assert curl("-r", "10-19") == b"x" * 10 + b"206 0"


def test_a_killed_service_leaves_nothing_of_what_was_under_way(fort, romeo, place):
    before = kept(fort)
    sock = tls(fort)
    sock.sendall(head(place, b"%d" % len(BODY)) + BODY[:400_000])
    begun(fort, place)
    fort.kill("upload")
    fort.pid("upload")
    assert kept(fort) == before
    still_serves(fort, romeo)


@pytest.mark.parametrize("size", [1_000, 500_000])
def test_a_file_that_was_said_to_be_there_survives_a_kill(fort, romeo, size):
    body = os.urandom(size)
    place = slot(romeo, size)
    assert put(fort, place, body)[0] == 201
    fort.kill("upload")
    fort.pid("upload")
    assert http_(fort, "GET", place.path)[2] == body
    says(put(fort, place, body), 409)


def test_a_slot_ends_with_its_service(fort, romeo, place):
    fort.kill("upload")
    fort.pid("upload")
    says(put(fort, place, BODY), 404)
    still_serves(fort, romeo)


def refused(client, condition, size, inside=""):
    client.sends(
        "<iq type='get' id='s' to='upload.h'>"
        f"<request xmlns='urn:xmpp:http:upload:0' filename='x' size='{size}'/></iq>"
    )
    return client.receives(
        f"<iq type='error' id='s'><error type='wait'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{inside}</error></iq>"
    )


def test_an_account_has_its_share(tmp_path):
    """The oldest file makes room; the day's share does not come back with it."""
    shares = ("upload.account_bytes=1000000", "upload.day_bytes=1500000")
    world = RunningWorld(tmp_path / "state", *shares, address="127.0.0.34")
    try:
        world.add_account("romeo")
        client = world.client().log_in("romeo", PASSWORD)
        first, second = slot(client, 500_000), slot(client, 500_000)
        assert put(world, first, b"1" * 500_000)[0] == 201
        assert put(world, second, b"2" * 500_000)[0] == 201
        third = slot(client, 500_000)
        assert http_(world, "GET", first.path)[0] == 200
        assert put(world, third, b"3" * 500_000)[0] == 201
        assert http_(world, "GET", first.path)[0] == 404
        assert http_(world, "GET", second.path)[0] == 200
        assert left_alone(world, {second.id, third.id})
        retry = "<retry xmlns='urn:xmpp:http:upload:0' stamp='*'/>"
        sorry = refused(client, "resource-constraint", 1, retry)
        stamp = sorry.find(".//{urn:xmpp:http:upload:0}retry").get("stamp")
        assert stamp.endswith("T00:00:00.000Z")
    finally:
        world.close()


def test_a_full_box_says_so(tmp_path):
    world = RunningWorld(tmp_path / "state", f"upload.free_bytes={1 << 60}", address="127.0.0.34")
    try:
        world.add_account("romeo")
        client = world.client().log_in("romeo", PASSWORD)
        refused(client, "resource-constraint", 1)
    finally:
        world.close()


def test_a_disk_that_fills_up_meanwhile(tmp_path):
    """On a disk of 3 MB: two uploads that fit one by one, and something else that takes the room."""
    world = RunningWorld(tmp_path / "state", "upload.free_bytes=0", address="127.0.0.34")
    small = world.state / "uploads"
    world.stop()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small]).returncode:
        world.store.close()
        pytest.fail("only root can mount a small disk: run the tests as root")
    try:
        world.start()
        world.add_account("romeo")
        client = world.client().log_in("romeo", PASSWORD)
        size = 2_000_000
        first, second = (slot(client, size) for _ in range(2))
        sock = tls(world)
        sock.sendall(head(first, b"%d" % size) + b"x" * 500_000)
        begun(world, first)
        says(put(world, second, b"y" * size), 507)
        sock.sendall(b"x" * 1_500_000)
        assert sock.recv(1000).startswith(b"HTTP/1.1 201 ")
        assert kept(world) == {first.id}
        tiny = slot(client, 200_000)
        (small / "another").write_bytes(b"z" * (shutil.disk_usage(small).free - 100_000))
        says(put(world, tiny, b"y" * 200_000), 507)
        (small / "another").unlink()
        assert put(world, tiny, b"y" * 200_000)[0] == 201
        assert kept(world) == {first.id, tiny.id}
    finally:
        world.close()
        subprocess.run(["umount", small], check=True)


def test_the_log_names_nobody_and_no_fault_was_ours(fort):
    log = fort.log("upload")
    assert "bug" not in log
    assert "romeo" not in log
    services = json.loads(hausbote("status", "--json", state=fort.state).stdout)
    assert next(one for one in services if one["service"] == "upload")["state"] == "running"
