"""Real handshakes: any certificate passes them, and is then judged as what it is."""

import contextlib
import socket
import threading
import time

import pytest
from OpenSSL import SSL

from hausbote.net.judge import Cause
from hausbote.net.peer_tls import Presented, ask_for_staple, name_peer, presented, take_any
from support.authority import Shelf
from support.peers import judge_with, weak_context

DOMAIN = "chat.capulet.example"
NOW = time.time()
VERSIONS = [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION]


@pytest.fixture(scope="module")
def shelf(authority):
    return Shelf(authority, DOMAIN)


@pytest.fixture(scope="module")
def judge(authority, tmp_path_factory):
    return judge_with(tmp_path_factory.mktemp("peers"), authority)


def ours(method):
    """As the box makes its contexts: OpenSSL's own defaults of security."""
    context = SSL.Context(method)
    take_any(context)
    return context


def theirs(method, identity, version, staple=b""):
    context = weak_context(method, identity, staple)
    context.set_max_proto_version(version)
    return context


def shaken(ours, theirs, *, connecting):
    """What the other side shows us; `connecting` is whether we are the client."""
    here, there = socket.socketpair()
    us, them = SSL.Connection(ours, here), SSL.Connection(theirs, there)
    if connecting:
        name_peer(us, DOMAIN)
        us.set_connect_state()
        them.set_accept_state()
    else:
        us.set_accept_state()
        them.set_connect_state()

    def other_side():
        with contextlib.suppress(SSL.Error):  # ours will tell
            them.do_handshake()
            them.send(b"x")

    thread = threading.Thread(target=other_side)
    thread.start()
    try:
        us.do_handshake()
        assert us.recv(1) == b"x"
        return presented(us)
    finally:
        thread.join()
        here.close()
        there.close()


def as_client(_authority, identity, version, staple=b""):
    context = ours(SSL.TLS_CLIENT_METHOD)
    ask_for_staple(context)
    method = SSL.TLS_SERVER_METHOD
    return shaken(context, theirs(method, identity, version, staple), connecting=True)


def as_server(authority, identity, version):
    context = ours(SSL.TLS_SERVER_METHOD)
    box = authority.issue("house.example")
    context.use_certificate(box.certificate)
    context.use_privatekey(box.key)
    return shaken(context, theirs(SSL.TLS_CLIENT_METHOD, identity, version), connecting=False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("side", [as_client, as_server])
def test_every_certificate_is_judged_by_what_it_is(authority, shelf, judge, side, version):
    for cause, identity in {**shelf.bad(), "trusted": shelf.good()["server"]}.items():
        shown = side(authority, identity, version)
        assert shown.chain == identity.chain, cause
        assert judge.judge(shown.chain, DOMAIN, NOW, staple=shown.staple).cause.value == cause


@pytest.mark.parametrize("version", VERSIONS)
def test_a_peer_may_show_nothing(authority, judge, version):
    shown = as_server(authority, None, version)
    assert shown == Presented(())
    assert judge.judge(shown.chain, DOMAIN, NOW).cause is Cause.ABSENT


@pytest.mark.parametrize("version", VERSIONS)
def test_a_staple_arrives(authority, judge, version):
    one = authority.issue(DOMAIN)
    for revoked, cause in ((True, Cause.REVOKED), (False, Cause.TRUSTED)):
        shown = as_client(authority, one, version, authority.staple(one, revoked=revoked))
        assert judge.judge(shown.chain, DOMAIN, NOW, staple=shown.staple).cause is cause
    assert as_client(authority, one, version).staple == b""
