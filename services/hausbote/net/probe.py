"""A look at an XMPP server from outside: TCP, TLS, the certificate, and what it offers then."""

import re
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from gevent.socket import wait_read, wait_write
from OpenSSL import SSL

from hausbote.net.dial import Reached
from hausbote.net.peer_tls import (
    ALPN_SERVER,
    Presented,
    ask_for_staple,
    name_peer,
    presented,
    take_any,
)
from hausbote.net.tls import ALPN_CLIENT, CertificateFiles, make_context, reason
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import Closed, Opened, StreamParser
from hausbote.xmpp.unfold import text_of
from hausbote.xmpp.xml import el, escape_attribute

_SECONDS: Final = 15.0  # for all of it
_CHUNK: Final = 4096
_TEXT: Final = 200  # characters of a reason
_MECHANISM: Final = re.compile(r">([A-Z0-9-]{1,40})</")
_CONTENT: Final = {"server": ns.SERVER, "client": ns.CLIENT}
_ALPN: Final = {"server": ALPN_SERVER, "client": ALPN_CLIENT}


class Sight(NamedTuple):
    """What was seen; `problem` is the end of a sentence about what kept us from seeing more.

    `refusal` is the condition of a stream error behind TLS: a server that does not want us.
    """

    presented: Presented | None = None  # None = there was no TLS
    tls: str = ""  # the version
    mechanisms: tuple[str, ...] = ()  # of SASL, after TLS
    dialback: bool = False
    problem: str = ""
    refusal: str = ""


class _Stopped(Exception):
    pass


def look(
    reached: Reached, service: str, domain: str, local: str, ours: CertificateFiles | None
) -> Sight:
    """Go as far as to the features behind TLS, and leave.

    `service` is "server" or "client"; another server sees the name `local` and our certificate.
    """
    with reached.sock:
        visit = _Visit(reached, service, domain, local, ours)
        try:
            return visit.made()
        except _Stopped as stop:
            return visit.sight._replace(problem=str(stop))
        except TimeoutError:
            return visit.sight._replace(problem="does not answer in time")
        except SSL.ZeroReturnError:
            return visit.sight._replace(problem="closes the connection")
        except (OSError, SSL.Error) as error:
            return visit.sight._replace(problem=f"breaks the connection ({reason(error)})")


class _Visit:
    def __init__(
        self,
        reached: Reached,
        service: str,
        domain: str,
        local: str,
        ours: CertificateFiles | None,
    ) -> None:
        self.sight = Sight()
        self._sock: socket.socket = reached.sock
        self._direct = reached.endpoint.direct_tls
        self._service = service
        self._domain = domain
        self._local = local
        self._ours = ours
        self._tls: SSL.Connection | None = None
        self._parser = StreamParser(content_ns=_CONTENT[service])
        self._events: list[Any] = []
        self._until = time.monotonic() + _SECONDS

    def made(self) -> Sight:
        if not self._direct:
            features = self._opened()
            if features.child(ns.TLS, "starttls") is None:
                raise _Stopped("offers no encryption (STARTTLS)")
            self._send(el("starttls", xmlns=ns.TLS).encode())
            if self._element().name != "proceed":
                raise _Stopped("does not begin TLS although it offered that")
            self._parser.reset()
            self._events.clear()
        self._start_tls()
        features = self._opened()
        mechanisms = features.child(ns.SASL, "mechanisms")
        return self.sight._replace(
            mechanisms=tuple(_MECHANISM.findall(mechanisms.xml)) if mechanisms else (),
            dialback=any(part.ns == ns.DIALBACK_FEATURE for part in features.children),
        )

    def _opened(self) -> Stanza:
        """The features behind a stream header."""
        sender = f" from='{escape_attribute(self._local)}'" if self._service == "server" else ""
        self._send(
            f"<?xml version='1.0'?><stream:stream xmlns='{_CONTENT[self._service]}'"
            f" xmlns:stream='{ns.STREAMS}'{sender} to='{escape_attribute(self._domain)}'"
            " version='1.0'>".encode()
        )
        features = self._element()
        if (features.ns, features.name) != (ns.STREAMS, "features"):
            raise _Stopped("answers, but not as an XMPP server does")
        return features

    def _element(self) -> Stanza:
        while True:
            while self._events:
                event = self._events.pop(0)
                if isinstance(event, StreamError):
                    raise _Stopped("answers, but not as an XMPP server does")
                if isinstance(event, Closed):
                    raise _Stopped("ends the stream")
                if isinstance(event, Opened):
                    continue
                if (event.ns, event.name) == (ns.STREAMS, "error"):
                    raise _Stopped(self._refused(event))
                return event  # type: ignore[no-any-return]
            self._events += self._parser.feed(self._received())

    def _refused(self, error: Stanza) -> str:
        conditions = [one.name for one in error.children if one.name != "text"]
        texts = [text_of(one) for one in error.children if one.name == "text"]
        condition = conditions[0] if conditions else "no reason given"
        if self._tls is not None:
            self.sight = self.sight._replace(refusal=condition)
        told = "".join(texts)[:_TEXT]
        return f"ends the stream ({condition}{': ' + told if told.isprintable() and told else ''})"

    # -- bytes ---------------------------------------------------------------------------------

    def _start_tls(self) -> None:
        tls = SSL.Connection(self._context(), self._sock)
        name_peer(tls, self._domain)
        tls.set_connect_state()
        self._retry(tls.do_handshake)
        self._tls = tls
        self.sight = Sight(presented(tls), tls.get_protocol_version_name())

    def _context(self) -> SSL.Context:
        shown = self._ours if self._service == "server" else None
        context = make_context(SSL.TLS_CLIENT_METHOD, shown)
        if self._direct:
            context.set_alpn_protos([_ALPN[self._service]])
        take_any(context)
        ask_for_staple(context)
        return context

    def _send(self, data: bytes) -> None:
        send = self._sock.send if self._tls is None else self._tls.send
        while data:
            data = data[self._retry(partial(send, data)) :]

    def _received(self) -> bytes:
        receive = self._sock.recv if self._tls is None else self._tls.recv
        data: bytes = self._retry(partial(receive, _CHUNK))
        if not data:
            raise _Stopped("closes the connection")
        return data

    def _retry(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except (BlockingIOError, SSL.WantReadError):
                wait = wait_read
            except SSL.WantWriteError:
                wait = wait_write
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            wait(self._sock.fileno(), timeout=left, timeout_exc=TimeoutError())
