"""Heads of HTTP requests: what all programs read alike, and nothing else."""

import io
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.net.http_head import (
    TooLarge,
    check_fields,
    read_fields,
    read_request_line,
    read_target,
)


def read(data, version="HTTP/1.0"):
    fields = read_fields(io.BytesIO(data))
    check_fields(fields, version)
    return fields.items()


def test_a_usual_head_is_read_up_to_its_end():
    source = io.BytesIO(b"Host: h\r\nX-A:\tb c \r\nX-a:d\nX-E: \xe9\r\n\r\nbody")
    fields = read_fields(source)
    assert fields.items() == [("Host", "h"), ("X-A", "b c"), ("X-a", "d"), ("X-E", "\xe9")]
    assert (fields.get("x-a"), fields.get("x-b")) == ("b c", None)
    assert source.read() == b"body"
    assert read_request_line("GET /a%20b?c HTTP/1.1\r\n") == ("GET", "/a%20b?c", "HTTP/1.1")
    assert read_request_line("OPTIONS * HTTP/1.0\n") == ("OPTIONS", "*", "HTTP/1.0")


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("/a%20b?c%20d", ("/a b", "c%20d", None)),
        ("/%C3%A9\xe9?", ("/\xc3\xa9\xe9", "", None)),
        ("*", ("*", "", None)),
        ("https://upload.h:5443/x/y?z", ("/x/y", "z", "upload.h:5443")),
        ("HTTP://other", ("/", "", "other")),
        ("http:///x", ("/x", "", "")),
        ("upload.h:5443", ("upload.h:5443", "", None)),
    ],
)
def test_a_target_is_a_path_or_an_address(target, read):
    assert read_target(target) == read


@pytest.mark.parametrize(
    "line",
    ["", "\r\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n", "GET / HTTP/1.1 x\r\n",
     "GET / HTTP/2.0\r\n", "GET / http/1.1\r\n", "GET / HTTP/1.1", "G(T / HTTP/1.1\r\n", "GET /\x00 HTTP/1.1\r\n"],
)  # fmt: skip
def test_a_request_line_has_three_words(line):
    with pytest.raises(ValueError, match="request line"):
        read_request_line(line)


@pytest.mark.parametrize(
    "head",
    [b"", b"X: y", b"X: y\r\n", b"X : y\r\n\r\n", b" X: y\r\n\r\n", b"X: y\r\n z\r\n\r\n", b"X\r\n\r\n",
     b": y\r\n\r\n", b"X: a\rY: b\r\n\r\n", b"X: \x00\r\n\r\n", b"X: a\x0bb\r\n\r\n", b"\xc3\xa9: y\r\n\r\n",
     b"\r\r\n"],
)  # fmt: skip
def test_a_broken_line_is_refused(head):
    with pytest.raises(ValueError, match="not a field"):
        read(head)


@pytest.mark.parametrize(
    "head", [b"X: " + b"y" * 16_384, b"X: y\r\n" * 101, b"X: yyyyyyyyyyyyyyyy\r\n" * 900]
)
def test_a_head_has_an_end(head):
    with pytest.raises(TooLarge):
        read(head + b"\r\n\r\n")
    assert len(read(b"X: y\r\n" * 100 + b"\r\n")) == 100


def test_a_host_is_named_in_todays_requests():
    assert read(b"Host: h\r\n\r\n", "HTTP/1.1") == [("Host", "h")]
    assert read(b"\r\n", "HTTP/1.0") == []
    with pytest.raises(ValueError, match="host"):
        read(b"\r\n", "HTTP/1.1")


def test_old_requests_have_no_chunks():
    head = b"Host: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert len(read(head, "HTTP/1.1")) == 2
    with pytest.raises(ValueError, match="size"):
        read(head, "HTTP/1.0")


@pytest.mark.parametrize(
    "head",
    ["Host: a\r\nhost: b", "Content-Length: 1\r\nContent-Length: 1", "Content-Length: +1", "Content-Length: 1,1",
     "Content-Length: 1\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: x",
     "Content-Length:", "Content-Length: 1_0", "Authorization: a\r\nAuthorization: b"],
)  # fmt: skip
def test_what_is_said_once_is_clear(head):
    with pytest.raises(ValueError, match=r"two fields|size"):
        read(head.encode() + b"\r\n\r\n")


@given(
    st.lists(
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b" ", b":", b"X", b"\x85", b"\xe2\x80\xa8", b"\x1c", b"a"]
        )
    )
)
def test_there_are_as_many_fields_as_lines(parts):
    data = b"".join(parts) + b"\r\n\r\n"
    try:
        fields = read(data)
    except ValueError:
        return
    lines = takewhile(lambda line: line.strip(b"\r"), data.split(b"\n"))
    assert len(fields) == len(list(lines))
