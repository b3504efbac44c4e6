"""Terms of Erlang as its library writes them, and what is none."""

import io

import pytest

from hausbote.moving.erlang_terms import TermError, head, parse, terms

TERMS = {
    b"{a,'b c',\"text\"}.": ("a", "b c", "text"),
    b"[].": [],
    b"{<<>>,[{x,-1},{y,2.5e3}]}.": (b"", [("x", -1), ("y", 2500.0)]),
    b'<<"it\'s \\"so\\"\\n\\\\ \\e\\x{41}\\101">>.': b'it\'s "so"\n\\ \x1bAA',
    b'<<"one and "\n    "two">>.': b"one and two",
    b"<<240,159,\n  152,128>>.": "\U0001f600".encode(),
    b'<<"\xc3\xb6">>.': "ö".encode(),
    b'<<"\xc3\xb6"/utf8>>.': "ö".encode(),
    b'<<"\xf6"/utf8>>.': "ö".encode(),
    b"{1796,11850,266931}.": (1796, 11850, 266931),
}
BAD = [
    b"", b"{", b"{a", b"{a,}.", b"{a b}.", b'<<"x>>.', b"<<256>>.", b"<<1,>>.", b"#Fun<x>.", b"#{a => 1}.",
    b"{a}", b"-.", b"<<x>>.", b"[" * 1_000, b'"\\x{zz}".', b'"\\x{',
]  # fmt: skip


@pytest.mark.parametrize("text", TERMS)
def test_terms(text):
    assert parse(text) == TERMS[text]


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_is_refused(text):
    with pytest.raises(TermError):
        parse(text)


def test_the_head_of_a_row_is_read_without_the_rest():
    assert head(b'{t,{<<"a">>,1},b,#Fun<x>}.', 3) == ["t", (b"a", 1), "b"]
    assert head(b"{t}.", 3) == ["t"]


def test_where_terms_begin():
    text = b'{a,\n <<"ends with.">>}.\n{b}.\n'
    assert [(at, line) for at, line, _ in terms(io.BytesIO(text))] == [(0, 1), (24, 3)]
    with pytest.raises(TermError, match="line 2: the file ends in the middle"):
        list(terms(io.BytesIO(b"{a}.\n{b")))
