"""The page of the turn service for the box's web client, on its Unix socket, and what it refuses."""

import base64
import hashlib
import hmac
import json
import socket
import stat
import subprocess
import sys

import pytest

from hausbote.turn.secrets import secrets_of


class Page:
    """One connection per request, as bytes."""

    def __init__(self, box):
        self.box = box
        self.path = box.state / "run" / "turn-web.sock"

    def raw(self, data):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(str(self.path))
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            while got := sock.recv(65_536):
                answer += got
            return answer

    def post(self, body, path="/credentials", method="POST"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: box\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
        answer = self.raw(head.encode() + data)
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(content), head.decode().lower()


@pytest.fixture
def page(box):
    return Page(box)


def test_a_web_client_gets_what_it_needs_for_a_call(page):
    status, content, head = page.post({"account": "rosaline@h"})
    assert status == 200
    assert "cache-control: no-store" in head
    assert 3_600 * 11 / 12 - 5 <= content["ttl"] <= 3_600
    urls = [url for server in content["iceServers"] for url in server["urls"]]
    assert urls == [
        "stun:h:3478",
        "turn:h:3478?transport=udp",
        "turn:h:3478?transport=tcp",
        "turns:h:5349?transport=tcp",
    ]
    (secret, *_) = secrets_of(page.box.settings).all()
    for server in content["iceServers"][1:]:
        digest = hmac.digest(secret.encode(), server["username"].encode(), hashlib.sha1)
        assert server["credential"] == base64.b64encode(digest).decode()


def test_only_the_owner_may_open_it(page):
    assert stat.S_IMODE(page.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[]", b"5", b"null", {}, {"account": ""}, {"account": 5}, {"account": None},
     {"account": "x" * 3_072}, b"x" * 4_097],
)  # fmt: skip
def test_what_is_no_account_is_refused(page, body):
    status, content, _ = page.post(body)
    assert (status, list(content)) == (400, ["error"])
    assert page.post({"account": "rosaline@h"})[0] == 200


def test_other_paths_and_methods_are_refused(page):
    account = {"account": "rosaline@h"}
    assert page.post(account, "/")[0] == 404
    assert page.post(account, "/credentials/../credentials")[0] == 404
    for method in ("GET", "PUT", "DELETE", "BREW"):
        assert page.post(account, method=method)[0] == 405


def test_an_account_that_asks_too_often_waits(page):
    limit = page.box.settings.limits.relay_credentials_per_hour
    codes = [page.post({"account": "paris@h"})[0] for _ in range(limit + 1)]
    assert codes == [200] * limit + [429]


@pytest.mark.parametrize(
    "data",
    [b"\0" * 100, b"POST\r\n\r\n", b"POST /credentials HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
     b"POST /credentials HTTP/1.1\r\nContent-Length: 1e9\r\n\r\n", b"A" * 70_000 + b"\r\n\r\n"],
)  # fmt: skip
def test_what_is_not_http_ends_the_connection_and_nothing_else(page, data):
    try:
        answer = page.raw(data)
    except (BrokenPipeError, ConnectionResetError):
        answer = b""
    assert answer == b"" or answer.split()[1] in (b"400", b"404", b"405", b"414", b"431")
    assert page.post({"account": "rosaline@h"})[0] == 200


def test_whoever_says_nothing_keeps_nobody_waiting(page):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.connect(str(page.path))
        silent.send(b"POST /credentials HTTP/1.1\r\nContent-Length: 50\r\n\r\n{")
        assert page.post({"account": "rosaline@h"})[0] == 200


def test_a_second_service_of_the_box_takes_nothing_from_the_first(page):
    stray = [sys.executable, "-m", "hausbote.turn", "--state", str(page.box.state)]
    done = subprocess.run(stray, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "another turn-web of this box is running" in done.stderr
    assert page.post({"account": "rosaline@h"})[0] == 200
