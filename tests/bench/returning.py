"""What clients of today cost that come back: with a token (XEP-0484), or to their session (XEP-0198).

    returning.py --tool DIRECTORY --host ADDRESS --pid PID [--count 1000] [--runs 3]

All clients connect at the same moment.  `token`: a login in one message with roster and presence, as
after a restart; `resume`: the network was gone, and each goes on with its session.  Prints the
server's CPU time per client as JSON, the median of the runs.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import statistics
import sys
import uuid

from servers import DOMAIN

_SASL2 = b"urn:xmpp:sasl:2"
_BIND = (
    b"<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag><enable xmlns='urn:xmpp:carbons:2'/>"
    b"<enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>"
)
_REQUEST = b"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
_FAST = b"<fast xmlns='urn:xmpp:fast:0'/>"
_DONE = (b"</success>", b"<failure", b"</stream:stream>")


class Client:
    """What an installation knows from one connection to the next."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.password = f"pw-{user[0]}-{user[1:]}"
        self.agent = str(uuid.uuid4()).encode()
        self.token = b""
        self.session = b""
        self.received = 0

    def _authenticate(self, mechanism: bytes, initial: bytes, *extras: bytes) -> bytes:
        return (
            b"<authenticate xmlns='%s' mechanism='%s'><initial-response>%s</initial-response>"
            b"<user-agent id='%s'><software>bench</software></user-agent>%s</authenticate>"
            % (_SASL2, mechanism, initial, self.agent, b"".join(extras))
        )

    def _proof(self) -> bytes:
        signed = hmac.digest(self.token, b"Initiator", hashlib.sha256)
        return base64.b64encode(self.user.encode() + b"\0" + signed)

    def first(self, conn):
        """With the password, for a token."""
        from xmppbench_lib.client import Scram

        yield from conn.to_tls()
        scram = Scram(b"SCRAM-SHA-256", self.user, self.password)
        conn.send(self._authenticate(b"SCRAM-SHA-256", scram.first(), _REQUEST, _BIND))
        challenge = yield (b"</challenge>", b"<failure")
        found = re.search(rb"<challenge[^>]*>([^<]+)<", challenge)
        if not found:
            raise RuntimeError(f"no challenge: {challenge!r}")
        conn.send(b"<response xmlns='%s'>%s</response>" % (_SASL2, scram.final(found[1])))
        got = yield _DONE
        self.token = re.search(rb"<token[^>]* token='([^']+)'", got)[1]
        yield from self._set_up(conn, got)

    def by_token(self, conn):
        yield from conn.to_tls()
        conn.send(self._authenticate(b"HT-SHA-256-NONE", self._proof(), _FAST, _BIND))
        yield from self._set_up(conn, (yield _DONE))

    def _set_up(self, conn, got: bytes):
        if b"<enabled" not in got:
            raise RuntimeError(f"no session: {got!r}")
        self.session = re.search(rb"<enabled[^>]* id='([^']+)'", got)[1]
        conn.sm = True
        conn.h_in = 0
        conn.stanza(b"<iq type='get' id='b-roster'><query xmlns='jabber:iq:roster'/></iq>")
        conn.stanza(b"<presence/>")
        while b"b-roster" not in got:
            got = yield (b">",)

    def resume(self, conn):
        yield from conn.to_tls()
        again = b"<resume xmlns='urn:xmpp:sm:3' h='%d' previd='%s'/>" % (
            self.received,
            self.session,
        )
        conn.send(self._authenticate(b"HT-SHA-256-NONE", self._proof(), _FAST, again))
        got = yield _DONE
        if b"<resumed" not in got:
            raise RuntimeError(f"not resumed: {got!r}")
        conn.sm = True
        conn.h_in = self.received


def all_at_once(loop, options, tls, clients: list[Client], way: str, parallel: int) -> list:
    from xmppbench_lib.client import Conn

    todo, conns = list(clients), []

    def unfinished() -> int:
        return sum(one.state is None for one in conns)

    while todo or unfinished():
        while todo and unfinished() < parallel:
            client = todo.pop()
            conns.append(Conn(loop, options, tls, client.user, script=getattr(client, way)))
            conns[-1].client = client
            conns[-1].connect()
        loop.step(0.1)
    failed = [one for one in conns if one.state != "ready"]
    if failed:
        sys.exit(f"{way}: {len(failed)} of {len(conns)} failed: {failed[0].error}")
    return conns


def leave(loop, conns: list, *, politely: bool) -> None:
    loop.sleep(1)
    for conn in conns:
        conn.client.received = conn.h_in
        if politely:
            conn.close()
        else:
            conn.abort()
    loop.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    sys.path.insert(0, asked.tool)
    os.sched_setaffinity(0, {0})
    from xmppbench_lib.client import Loop, Options, tls_context
    from xmppbench_lib.proc import Meter, ProcTree

    loop, options, tls = Loop(), Options(), tls_context()
    options.host, options.domain = asked.host, DOMAIN
    clients = [Client(f"u{n}") for n in range(asked.count)]
    server = ProcTree([asked.pid])
    leave(loop, all_at_once(loop, options, tls, clients, "first", 20), politely=True)
    found: dict[str, list[float]] = {"token": [], "resume": []}
    for _ in range(asked.runs):
        for way, kind in (("by_token", "token"), ("resume", "resume")):
            meter = Meter(server, loop)
            conns = all_at_once(loop, options, tls, clients, way, asked.count)
            found[kind].append(meter.stop()["server_cpu_s"] * 1e3 / asked.count)
            leave(loop, conns, politely=kind == "resume")
    print(json.dumps({kind: statistics.median(values) for kind, values in found.items()}))


if __name__ == "__main__":
    main()
