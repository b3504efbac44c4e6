"""What peers send is looked at in time that grows as its size does, whatever they send.

Every regular expression of the package is found by itself, in its modules and in its source, and
has a worst input here: one that is not in the table fails.  Whether the work grows faster than the
input is told by how it grows when the input does, in time of this thread's processor alone; the
lowest of some measurements, because a busy machine can only make one longer.
"""

import ast
import contextlib
import importlib
import io
import pkgutil
import random
import re
import time
from pathlib import Path

import pytest
from lxml import etree

import hausbote
from hausbote.base.jid import JID, InvalidJID
from hausbote.net.http_chunks import ChunkedInput
from hausbote.net.http_head import read_fields, read_request_line, read_target
from hausbote.net.websocket import handshake
from hausbote.xmpp.bosh_body import BadBody, read_body
from hausbote.xmpp.data_form import read_form
from hausbote.xmpp.stream import ParserLimits, StreamParser
from unit.test_websocket import headers

TIMES = 8  # larger
TOO_MUCH = 24.0  # times the work: 8 is linear, 64 its square
SMALL, LARGE = 96, 3_000  # where a cube still ends, and where a square shows beside fixed costs


def growth(work, size):
    """How many times longer `work` takes with TIMES the input."""
    small, large = work(size), work(size * TIMES)
    calls = max(1, 40_000 // size)
    return _least(large, max(1, calls // TIMES)) / _least(small, calls)


def _least(step, calls):
    found = []
    for _ in range(5):
        begun = time.thread_time_ns()
        for _ in range(calls):
            step()
        found.append((time.thread_time_ns() - begun) / calls)
    return min(found)


def assert_linear(work):
    for size in (SMALL, LARGE):
        times = growth(work, size)
        for _ in range(2):
            if times > TOO_MUCH:  # a machine under load
                times = growth(work, size)
        assert times <= TOO_MUCH, f"{TIMES} times as much takes {times:.0f} times as long"


# -- every regular expression ----------------------------------------------------------------------


def _compiled():
    """The expressions of all modules and their classes."""
    for found in pkgutil.walk_packages(hausbote.__path__, "hausbote."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        spaces = [vars(module)]
        spaces += [vars(one) for one in vars(module).values() if isinstance(one, type)]
        for space in spaces:
            yield from (one.pattern for one in space.values() if isinstance(one, re.Pattern))


def _written():
    """Those that are used where they stand: re.fullmatch("…", text)."""
    for path in Path(hausbote.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if getattr(node.func.value, "id", "") == "re" and node.func.attr != "compile":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                yield node.args[0].value


EXPRESSIONS = sorted({*_compiled(), *_written()}, key=repr)

# How it is used, and what is worst for it: a beginning, what comes again and again, an end that does
# not fit.  What reads our own writing gets what we could have written: there every "<" has its ">",
# and every quotation mark a second one.
_BLANKS = ("", " ", "\0")
_DIGITS = ("", "0", "!")
WORST = {
    r"([A-Za-z0-9!#$%&'*+.^_`|~-]+) ([\x21-\x7e\x80-\xff]+) (HTTP/1\.[01])\r?\n": (
        "fullmatch", ("", "a", ""), ("a ", "a", ""), ("a a ", "HTTP/1.1", "")),
    "<(?:gone|item-not-found|recipient-unavailable|redirect|remote-server-not-found|remote-server-timeout|jid-malformed)[^>]* xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'": (
        "search", ("", "<gone xmlns='x'>", ""), ("<gone", " xmlns='x'", ">")),
    "<(?:gone|item-not-found|recipient-unavailable|redirect|remote-server-not-found|remote-server-timeout|service-unavailable|jid-malformed)[^>]* xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'": (
        "search", ("", "<gone xmlns='x'>", ""), ("<gone", " xmlns='x'", ">")),
    r"<event xmlns='[^']*'><items node='([^']*)'><item[ />]": (
        "match", ("<event xmlns='", "x", ""), ("<event xmlns='x'><items node='", "x", "")),
    r"[A-Za-z0-9ÄÖÜäöüß .,'()&*\[\]:_-]{1,80}\Z": ("match", ("", "a", "\0")),
    r"[^\w .,:;'()\[\]/_*&+=!?-]": ("sub", ("", "\0", ""), ("", "a", "")),
    r"\s([^\s=]+)='([^']*)'": ("findall", ("", " a='b'", ""), (" a='", " b=", "'"), ("a", " a", "")),
    r"^(<error\b[^>]*?) by='[^']*'": (
        "sub", ("<error", " a='b'", ">"), ("", "<error a='b'>", ""), ("<error a='", " by=", "'>")),
    r"(?!m)[A-Za-z]=[^\0,]+\Z": ("match", ("a=", "a", "\0")),
    r"0*([0-9]{1,5})\.[0-9]{1,5}": ("fullmatch", _DIGITS, ("0.", "0", "")),
    "<[^/>][^>]*": ("findall", ("", "<a b='c'>", ""), ("<a", " b='c'", ">"), ("", "<a", "")),
    " xmlns='([^']*)'": ("findall", ("", " xmlns='a'", ""), (" xmlns='", "a", ""), ("", " xmlns=", "")),
    "<address [^>]*type='ofrom'": ("search", ("", "<address type='to'>", ""), ("<address", " type='to'", ">")),
    r"(?:local:)?(/.*)": ("fullmatch", ("local:", "/", "")),
    r"(\.\d{6})\d+": ("sub", (".000000", "0", ""), ("", ".000000", "")),
    r"//[^/@]*@": ("sub", ("//", "a", ""), ("", "//a", "")),
    r"[a-z0-9]+:": ("match", ("", "a", "")),
    r"locked (?:exclusively )?by PID (\d{1,10}) on (\S{1,255})": (
        "search", ("", "locked by PID 1", ""), ("locked by PID 1 on ", "a", "")),
    r"#+ ?([a-z_0-9]+) ?= ?(.*)": ("fullmatch", ("", "#", ""), ("#", "a", ""), ("#a = ", "a", "\n")),
    r"[a-z0-9.-]{1,247}\.local": ("fullmatch", ("", "a", ""), ("", ".local", "")),
    r"\[([a-z_0-9]+)\]": ("fullmatch", ("[", "a", "")),
    r"<moderated[ />]": ("search", ("", "<moderated", "")),
    r">[ \t\n]{8}": ("search", ("", ">       ", ""), (">", " ", "")),
    r"[\u00a0\u1680\u2000-\u200A\u202F\u205F\u3000]": ("sub", ("", "\u3000", ""), ("", "a", "")),
    r"[\uff01-\uffef]": ("sub", ("", "\uff21", ""), ("", "a", "")),
    "[\ufe00-\ufe0f\U000e0020-\U000e007f]|([^\u200d]?)\u200d+": (
        "sub", ("", "\ufe0f", ""), ("", "a\u200d", ""), ("", "\u200d", "a"), ("", "a", "")),
    r"https?://[^/?#\s<>]+": ("fullmatch", ("https://", "a", " ")),
    r"<[^>]*>": ("sub", ("", "<a b='c'>", ""), ("<a", " b='c'", ">")),
    r"=(?!2C|3D)": ("search", ("", "=2C", "")),
    r">([A-Z0-9-]{1,40})</": ("findall", (">", "A", ""), ("", ">A", "")),
    r"[0-9]{1,10}": ("fullmatch", _DIGITS),
    r"[0-9]{1,15}": ("fullmatch", _DIGITS),
    r"[0-9]{1,18}": ("fullmatch", _DIGITS),
    r"[0-9]{1,5}": ("fullmatch", _DIGITS),
    r"[0-9]{1,9}": ("fullmatch", _DIGITS),
    r"[0-9a-f]{32}": ("fullmatch", _DIGITS),
    r"[0-9a-f]{64}": ("fullmatch", _DIGITS),
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z": ("match", ("00000000", "-0000", "")),
    r"[1-9][0-9]{0,17}": ("fullmatch", ("1", "0", "!")),
    r"[A-Za-z0-9!#$%()*+,\-.;=?\[\\\]^_`{|}~]+\Z": ("match", ("", "a", "\0")),
    r"[A-Za-z0-9._:/-]{1,120}\Z": ("match", ("", "a", "\0")),
    r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+': ("fullmatch", ("", "a", ""), ("a:", "a:", " ")),
    r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*": ("fullmatch", ("aa", "-aaaaaaaa", "!")),
    r"[\w.+-]{1,60}/[\w.+-]{1,60}(; ?charset=utf-8)?": ("fullmatch", ("", "a", ""), ("a/", "a", "")),
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]": ("sub", ("", "\0", ""), ("", "a", "")),
    r"[\x20-\x7e]+\Z": ("match", ("", "a", "\0")),
    r"[\x21-\x2b\x2d-\x7e]{1,256}\Z": ("match", ("", "a", "\0")),
    r"[^A-Za-z0-9._:/-]": ("sub", ("", "\0", ""), ("", "a", "")),
    r"[^\s/<>]*": ("fullmatch", ("", "a", " ")),
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\Z": (
        "match", ("", "a", "!"), ("", "a-", "!"), ("a", ".a", "!"), ("a", ".aa", "-")),
    r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}": ("fullmatch", ("", "a", ""), ("a/", "a", "")),
    r"[a-z0-9][a-z0-9._-]{0,63}": ("fullmatch", ("", "a", "")),
    r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z": ("match", ("", "a", "!"), ("a", ".a", "!"), ("a", ".aaaaaa", "!")),
    "[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u200c\u200d\u30fb]": ("findall", ("", "\u30fb", ""), ("", "a", "")),
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)": ("fullmatch", ("2000-01-01T00:00:00.", "0", "")),
    r"\s*[+-]?[0-9]{1,3}\s*\Z": ("match", _BLANKS, ("1", " ", "\0"), (" ", "1", "")),
    r"^(?:flags|Features)\s*:.*\baes\b": ("search", ("flags", "\n", ""), ("flags :", " a", ""), ("", "flags\n", "")),
    r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*": ("fullmatch", ("bytes=", " ", "!"), ("bytes=-", " ", "!")),
    r"https?://([^/?#]*)((?:[/?][^#]*)?)": ("fullmatch", ("http://", "a", "#"), ("http://", "/", "#")),
    r"max|[1-9][0-9]{0,8}": ("fullmatch", ("1", "0", "")),
    r"sqlite:///.+": ("fullmatch", ("sqlite:///", "a", "\n")),
    r"unix:.+|memory:.*": ("fullmatch", ("unix:", "a", "\n")),
    r"|[1-9][0-9]{0,8}": ("fullmatch", ("1", "0", "")),
    r"|https://[^/?#\s<>]+(/[^?#\s<>]*)?": ("fullmatch", ("https://", "a", " "), ("https://a", "/", " ")),
    r"|https://[^/?#\s<>]+/?": ("fullmatch", ("https://", "a", " ")),
    rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r?\n": (
        "fullmatch", ("a:", " ", "\0\r\n"), ("a:", "\t", "a\0\n"), ("", "a", ""), ("a:", "a ", "")),
    rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n": ("fullmatch", ("a:", " ", "\0\r\n"), ("", "a", "")),
    rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n": (
        "fullmatch", ("1", " ", "\r\n"), ("1;", " ;", "\n"), ("", "1", "\r\n")),
    b"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----": (
        "findall", ("", "-----BEGIN CERTIFICATE-----a", ""), ("-----BEGIN CERTIFICATE-----", "a", "")),
    rb"[0-9A-Fa-f]{40}": ("fullmatch", _DIGITS),
    r"Hook '--manual-auth-hook' for \S{1,260} reported error code (\d{1,6})": (
        "search", ("", "Hook '--manual-auth-hook' for ", ""), ("Hook '--manual-auth-hook' for ", "a", ""),
        ("", "Hook '--manual-auth-hook' for a reported error code", "")),
    r"^ {0,8}(?:Domain|Identifier): {1,8}(\S{1,260})\n {0,8}Type: {1,8}(\S{1,60})\n {0,8}Detail: {1,8}(.+)$": (
        "findall", ("", "Domain: a\nType: b\n", ""), ("", "\n", ""), ("", " ", ""), ("Domain: ", "a", ""),
        ("", "Domain: a\nType: b\nDetail: c\n", ""), ("", "Domain: a\nType: b\nDetail: c", "")),
    r"^acme\.messages\.Error: (urn:ietf:params:acme:error:.*)$": (
        "findall", ("", "acme.messages.Error: urn:ietf:params:acme:error:", ""),
        ("", "acme.messages.Error: urn:ietf:params:acme:error:x\n", ""), ("", "\n", "")),
    r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)": ("search", ("", "retry after 2000-01-01", "")),
    r"certbot (\d{1,4})\.(\d{1,4})": ("search", ("", "certbot 1", ""), ("certbot ", "1", "")),
    r"[^\w .,:;/()\[\]'\"_=<>!?+*-]": ("sub", ("", "\0", ""), ("", "a", "")),
    r"[^A-Za-z0-9.-]": ("sub", ("", ":", ""), ("", "a", "")),
    r"([0-9]{1,4})\.([0-9]{1,4})": ("fullmatch", _DIGITS, ("1.", "0", "!")),
    r"0x[0-9a-fA-F]{1,2}": ("findall", ("", "0x", ""), ("0x", "0", "")),
    r"\\([0-7]{3})": ("sub", ("", "\\00", ""), ("", "\\000", "")),
    r"[A-Za-z0-9._~+/-]{1,200}\Z": ("match", ("", "a", "\0")),
    r"[A-Za-z]{1,20}\Z": ("match", ("", "a", "\0")),
    r"\.backup-v(\d+)$": ("search", ("", ".backup-v0", ""), (".backup-v", "0", "a")),
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) [a-z]{1,10} ([a-z-]{1,60})((?: [a-z_]{1,30}=[^ ]{1,200})*)": (
        "match", ("2000-01-01T00:00:00Z info bug", " a=a", ""), ("2000-01-01T00:00:00Z info bug a=", "a", "")),
    r"[0-9]{1,3}(\.[0-9]{1,15})?": ("fullmatch", _DIGITS, ("1.", "0", "!")),
}  # fmt: skip


def test_every_expression_has_a_worst_input():
    assert [one for one in EXPRESSIONS if one not in WORST] == []
    assert [one for one in WORST if one not in EXPRESSIONS] == []


@pytest.mark.parametrize("expression", WORST, ids=lambda one: str(one)[:40])
def test_an_expression_is_linear(expression):
    how, *inputs = WORST[expression]
    compiled = re.compile(expression)
    used = getattr(compiled, how)
    for begin, pump, end in inputs:

        def work(size, begin=begin, pump=pump, end=end):
            text = begin + pump * (size // len(pump)) + end
            given = text.encode("latin-1") if isinstance(expression, bytes) else text
            nothing = b"" if isinstance(expression, bytes) else ""
            return lambda: used(nothing, given) if how == "sub" else used(given)

        assert_linear(work)


# -- parsers and readers ---------------------------------------------------------------------------


def refused(function, *arguments):
    with contextlib.suppress(ValueError, OSError, InvalidJID, BadBody):
        function(*arguments)


@pytest.mark.parametrize("pump", [b" ", b"a: b\r\n", b"a", b"\t\x80"])
def test_a_head_is_linear(pump):
    def work(size):
        data = b"X:" + pump * (size // len(pump)) + b"\0\r\n\r\n"
        return lambda: refused(read_fields, io.BytesIO(data))

    assert_linear(work)


@pytest.mark.parametrize("pump", ["a", " ", "/", "%2f", "http://"])
def test_a_request_line_is_linear(pump):
    def work(size):
        text = "GET /" + pump * (size // len(pump))

        def step():
            refused(read_request_line, text)
            refused(read_target, text)

        return step

    assert_linear(work)


@pytest.mark.parametrize(
    "pump", [b"1\r\nx\r\n", b"1;a\r\nx\r\n", b"0" * 100, b" ", b"1; \t" + b" " * 50]
)
def test_a_body_in_chunks_is_linear(pump):
    def work(size):
        data = pump * (size // len(pump) + 1) + b"0\r\n\r\n"
        return lambda: refused(ChunkedInput(io.BytesIO(data), None, None, True).read)

    assert_linear(work)


@pytest.mark.parametrize(
    "pump", [b" ", b"\n<", b"<?xml ", b"<a/>", b"<a>", b"<a b='c'/>", b"x", b"&amp;", b"]]>"]
)
def test_a_bosh_body_is_linear(pump):
    head = b"<body rid='1' xmlns='http://jabber.org/protocol/httpbind'>"

    def work(size):
        for begin in (b"", head):
            data = begin + pump * (size // len(pump)) + b"</body>"
            yield lambda data=data: refused(read_body, data, len(data))

    for place in range(2):
        assert_linear(lambda size, place=place: list(work(size))[place])


@pytest.mark.parametrize("cut", [1, 7, 4096])
@pytest.mark.parametrize(
    "pump",
    ["<a/>", "<a b='c'/>", "x", "&amp;", "&#65;", "<a:b xmlns:a='c'/>", "<![CDATA[x]]>", " "],
)
def test_a_stanza_is_linear_however_it_is_cut(pump, cut):
    def work(size):
        data = f"<message>{pump * (size // len(pump))}</message>".encode()
        pieces = [data[at : at + cut] for at in range(0, len(data), cut)]

        def step():
            parser = StreamParser(ParserLimits(stanza=10**9))
            parser.feed(
                b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
            )
            for piece in pieces:
                parser.feed(piece)

        return step

    assert_linear(work)


@pytest.mark.parametrize(
    "pump", ["a", "\u30fb", "\u0301", "a.", "@", "/", "\u2126", "xn--", "\u0660"]
)
@pytest.mark.parametrize("form", ["{}", "{}@h", "a@{}", "a@h/{}"])
def test_an_address_is_linear(pump, form):
    """Each is another one than the one before: what was seen is remembered."""
    fresh = random.Random(1)

    def work(size):
        text = pump * (size // len(pump))

        def step():
            refused(JID.parse, form.format(f"{fresh.getrandbits(40):x}{text}"))

        return step

    assert_linear(work)


@pytest.mark.parametrize("cut", [64, 4096])
@pytest.mark.parametrize(
    "frame",
    [b"\x01\x80\0\0\0\0", b"\x00\x81\0\0\0\0a", b"\x89\x80\0\0\0\0", b"\x81\x84\0\0\0\0text"],
)
def test_a_web_socket_is_linear(frame, cut):
    """As wsproto reads it: our own part looks at each event once."""
    opened = b"" if frame[0] & 0x80 else b"\x01\x80\0\0\0\0"

    def work(size):
        data = opened + frame.replace(b"\x01\x80", b"\x00\x80") * (size // len(frame))

        def step():
            ws, _ = handshake(headers(), "/", "xmpp")
            for at in range(0, len(data), cut):
                ws.receive_data(data[at : at + cut])
                for _event in ws.events():
                    pass

        return step

    assert_linear(work)


def test_forms_are_linear():
    def work(size):
        field = "<field xmlns='jabber:x:data' var='{}'><value>x</value></field>"
        fields = "".join(field.format(number) for number in range(size // 60 + 1))
        tree = etree.fromstring(f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
        return lambda: read_form(tree)

    assert_linear(work)
