"""The file proxy (XEP-0065): what it says over XMPP, and bytes through it against a running box."""

import os
import subprocess
import threading
import time

import pytest

from support.socks import BYTESTREAMS, activate, address, come, exactly, rest

DISCO = "http://jabber.org/protocol/disco#info"
JULIET = "juliet@h/balcony"


def refused(client, condition, type, id="go"):
    client.receives(
        f"<iq type='error' id='{id}' from='proxy.h'><error type='{type}'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


# -- over XMPP, in both worlds -----------------------------------------------------------------


def test_it_says_what_it_is_and_clients_find_it(cast):
    romeo = cast("romeo")
    romeo.sends(f"<iq type='get' id='d' to='proxy.h'><query xmlns='{DISCO}'/></iq>")
    romeo.receives(
        f"<iq type='result' id='d'><query xmlns='{DISCO}'>"
        f"<identity category='proxy' type='bytestreams'/><feature var='{BYTESTREAMS}'/></query></iq>"
    )
    items = DISCO.replace("#info", "#items")
    romeo.sends(f"<iq type='get' id='d' to='h'><query xmlns='{items}'/></iq>")
    romeo.receives(
        f"<iq type='result' id='d'><query xmlns='{items}'><item jid='proxy.h'/></query></iq>"
    )


def test_it_says_where_it_is(cast):
    romeo = cast("romeo")
    romeo.sends(f"<iq type='get' id='w' to='proxy.h'><query xmlns='{BYTESTREAMS}'/></iq>")
    romeo.receives(
        f"<iq type='result' id='w' from='proxy.h'><query xmlns='{BYTESTREAMS}'>"
        "<streamhost jid='proxy.h' host='*' port='*'/></query></iq>"
    )


def test_only_people_of_the_box_use_it(cast, bridge):
    bridge.sends(
        f"<iq type='get' id='w' from='someone@bridge.h/x' to='proxy.h'><query xmlns='{BYTESTREAMS}'/></iq>"
    )
    assert bridge.next()[-1][0].tag.endswith("}forbidden")
    bridge.sends(
        f"<iq type='set' id='w' from='someone@bridge.h/x' to='proxy.h'><query xmlns='{BYTESTREAMS}' sid='s'>"
        "<activate>romeo@h/x</activate></query></iq>"
    )
    assert bridge.next()[-1][0].tag.endswith("}forbidden")


def test_a_stream_for_which_nobody_has_come_is_not_there(cast):
    romeo = cast("romeo")
    activate(romeo, "s1", JULIET)
    refused(romeo, "item-not-found", "cancel")


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("sid='s'", "bad-request"),
        ("sid='s'><activate/></query>", "bad-request"),
        ("><activate>juliet@h</activate></query>", "bad-request"),
        ("sid='s'><activate>@h</activate></query>", "jid-malformed"),
    ],
)
def test_a_request_without_its_parts_is_refused(cast, query, condition):
    romeo = cast("romeo")
    end = "" if query.endswith(">") else "/>"
    romeo.sends(
        f"<iq type='set' id='go' to='proxy.h'><query xmlns='{BYTESTREAMS}' {query}{end}</iq>"
    )
    refused(romeo, condition, "modify")


# -- bytes, against a running box --------------------------------------------------------------


class Ends:
    """A stream from romeo to juliet, whose two connections have come and wait."""

    def __init__(self, box, romeo, sid):
        self.romeo, self.sid = romeo, sid
        self.name = address(sid, romeo.jid, JULIET)
        self.target, granted = come(box, self.name)
        assert granted == 0
        self.requester, granted = come(box, self.name)
        assert granted == 0

    def activate(self):
        activate(self.romeo, self.sid, JULIET)
        self.romeo.receives("<iq type='result' id='go' from='proxy.h'/>")


@pytest.fixture
def ends(running, request):
    ends = Ends(running.world, running("romeo/orchard"), request.node.name)
    yield ends
    ends.target.close()
    ends.requester.close()


def test_a_file_passes_once_the_stream_is_activated(ends):
    ends.activate()
    content = os.urandom(5_000_000)
    got = []
    reader = threading.Thread(target=lambda: got.append(rest(ends.target)))
    reader.start()
    ends.requester.sendall(content)
    ends.requester.close()
    reader.join(20)
    assert got == [content]


def test_other_socks_clients_come_through(running):
    """curl asks for the stream as for the name of a host, and takes the other side for a web server."""
    romeo, box = running("romeo/orchard"), running.world
    name = address("curl", romeo.jid, JULIET)
    target, granted = come(box, name)
    assert granted == 0
    proxy = f"socks5h://{box.address}:{box.proxy_port}"
    command = ["curl", "-sS", "--max-time", "20", "--proxy", proxy, f"http://{name}/"]
    curl = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 10
    while not stream_is_complete(romeo, "curl"):
        assert time.monotonic() < deadline, "curl does not come"
        time.sleep(0.05)
    assert target.recv(3) == b"GET"
    target.sendall(b"HTTP/1.0 200 OK\r\n\r\nBut soft!")
    target.close()
    assert curl.communicate(timeout=20) == (b"But soft!", b"")


def stream_is_complete(client, sid):
    """Activate it; False if only one side is there."""
    activate(client, sid, JULIET)
    return client.next().get("type") == "result"


def test_bytes_pass_both_ways_and_each_way_ends_alone(ends):
    ends.activate()
    ends.target.sendall(b"ready")
    assert exactly(ends.requester, 5) == b"ready"
    ends.requester.sendall(b"the file")
    ends.requester.shutdown(1)
    assert rest(ends.target) == b"the file"
    ends.target.sendall(b"thanks")
    ends.target.close()
    assert rest(ends.requester) == b"thanks"


def test_nothing_passes_before(ends):
    ends.requester.settimeout(0.5)
    ends.target.sendall(b"early")
    with pytest.raises(TimeoutError):
        ends.requester.recv(10)


def test_both_have_to_come_first(running):
    romeo = running("romeo/orchard")
    target, _ = come(running.world, address("alone", romeo.jid, JULIET))
    activate(romeo, "alone", JULIET)
    refused(romeo, "not-allowed", "cancel")
    target.close()


def test_a_third_is_sent_away(running, ends):
    third, reply = come(running.world, ends.name)
    assert reply == 2
    assert rest(third) == b""
    ends.activate()
    ends.requester.sendall(b"x")
    assert exactly(ends.target, 1) == b"x"


def test_nobody_else_activates_it(running, ends):
    mercutio = running("mercutio")
    activate(mercutio, ends.sid, JULIET)
    refused(mercutio, "item-not-found", "cancel")
    activate(ends.romeo, ends.sid, "juliet@h")
    refused(ends.romeo, "item-not-found", "cancel")
    ends.activate()
    activate(ends.romeo, ends.sid, JULIET)
    refused(ends.romeo, "item-not-found", "cancel")


def test_an_account_has_so_many_at_a_time(running):
    romeo = running("romeo/orchard")
    streams = [Ends(running.world, romeo, f"many-{number}") for number in range(6)]
    for one in streams[:5]:
        one.activate()
    activate(romeo, "many-5", JULIET)
    refused(romeo, "resource-constraint", "wait")
    streams[0].requester.close()
    assert rest(streams[0].target) == b""
    streams[0].target.close()
    answer = None
    while answer is None or answer.get("type") == "error":  # until the proxy has seen the end
        activate(romeo, "many-5", JULIET)
        answer = romeo.receives("<iq id='go' from='proxy.h'/>")
    for one in streams:
        one.requester.close()
        one.target.close()
