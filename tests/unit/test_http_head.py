"""Heads of HTTP requests: what all programs read alike, and nothing else."""

import io
from http.client import HTTPMessage, parse_headers

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.net.http_head import check_fields, check_request_line, read_fields


def read(data):
    fields = parse_headers(io.BytesIO(read_fields(io.BytesIO(data))), _class=HTTPMessage)
    check_fields(fields)
    return fields.items()


def test_a_usual_head_is_read_up_to_its_end():
    source = io.BytesIO(b"Host: h\r\nX-A:\tb c \r\n\r\nbody")
    assert read_fields(source) == b"Host: h\r\nX-A:\tb c \r\n\r\n"
    assert source.read() == b"body"
    check_request_line("GET /a%20b?c HTTP/1.1\r\n")
    check_request_line("OPTIONS * HTTP/1.0\n")


@pytest.mark.parametrize(
    "line",
    ["", "\r\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n", "GET / HTTP/1.1 x\r\n",
     "GET / HTTP/2.0\r\n", "GET / http/1.1\r\n", "GET / HTTP/1.1", "G(T / HTTP/1.1\r\n", "GET /\x00 HTTP/1.1\r\n"],
)  # fmt: skip
def test_a_request_line_has_three_words(line):
    with pytest.raises(ValueError, match="request line"):
        check_request_line(line)


@pytest.mark.parametrize(
    "head",
    [b"", b"X: y", b"X: y\r\n", b"X : y\r\n\r\n", b" X: y\r\n\r\n", b"X: y\r\n z\r\n\r\n", b"X\r\n\r\n",
     b": y\r\n\r\n", b"X: a\rY: b\r\n\r\n", b"X: \x00\r\n\r\n", b"X: a\x0bb\r\n\r\n", b"\xc3\xa9: y\r\n\r\n",
     b"X: " + b"y" * 70_000 + b"\r\n\r\n", b"X: y\r\n" * 101 + b"\r\n"],
)  # fmt: skip
def test_a_broken_line_is_refused(head):
    with pytest.raises(ValueError, match="field"):
        read(head)


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
def test_python_sees_as_many_fields_as_there_are_lines(parts):
    data = b"".join(parts) + b"\r\n\r\n"
    try:
        source = io.BytesIO(data)
        lines = read_fields(source).replace(b"\r\n", b"\n").split(b"\n")[:-2]
        fields = read(data)
    except ValueError:
        return
    assert len(fields) == len(lines)
