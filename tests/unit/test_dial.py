"""Happy Eyeballs over loopback: the first that answers is taken."""

import gc
import os
import socket

import gevent
import pytest

from hausbote.net.dial import Unreachable, dial
from hausbote.net.dns import Endpoint, NameProblem

ADDRESS = "127.0.0.55"


class Names:
    """Addresses by host."""

    def __init__(self, **hosts):
        self.hosts = hosts

    def addresses(self, host):
        if host not in self.hosts:
            what = f"The name {host} does not exist in DNS."
            raise NameProblem(what, lasting=True, nowhere=True)
        return self.hosts[host]


@pytest.fixture
def listener():
    with socket.create_server((ADDRESS, 0)) as server:
        yield server


@pytest.fixture
def deaf():
    """A port whose queue is full: connecting to it is never answered."""
    with socket.create_server((ADDRESS, 0), backlog=0) as server:
        held = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
            held.append(sock)
        gevent.sleep(0.05)
        yield server
        for sock in held:
            sock.close()


def port(server):
    return server.getsockname()[1]


def test_the_connection_comes_with_what_it_is_connected_to(listener):
    endpoint = Endpoint("a", port(listener), True)
    reached = dial(Names(a=[ADDRESS]), "a.example", [endpoint])
    with reached.sock:
        assert reached.endpoint is endpoint
        assert reached.address == ADDRESS
        assert reached.sock.getpeername() == (ADDRESS, port(listener))
        assert type(reached.sock) is socket.socket
        assert not reached.sock.getblocking()


def test_both_families_are_dialled():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        reached = dial(Names(a=["::1", ADDRESS]), "a.example", [Endpoint("a", port(server), False)])
        with reached.sock:
            assert reached.address == "::1"
            assert reached.sock.family is socket.AF_INET6


def test_what_refuses_is_left_for_the_next_at_once(listener):
    names = Names(a=["127.0.0.56", ADDRESS])
    with dial(names, "a.example", [Endpoint("a", port(listener), False)]).sock as sock:
        assert sock.getpeername()[0] == ADDRESS


def test_what_does_not_answer_is_overtaken(listener, deaf):
    endpoints = [Endpoint("a", port(deaf), False), Endpoint("a", port(listener), False)]
    with dial(Names(a=[ADDRESS]), "a.example", endpoints).sock as sock:
        assert sock.getpeername()[1] == port(listener)


def test_a_host_that_does_not_exist_is_left_for_the_next(listener):
    endpoints = [Endpoint("b", 1, False), Endpoint("a", port(listener), False)]
    with dial(Names(a=[ADDRESS]), "a.example", endpoints).sock as sock:
        assert sock.getpeername()[1] == port(listener)


def test_a_name_server_that_takes_its_time_does_not_hold_up_a_connection(listener, deaf):
    class Slow(Names):
        def addresses(self, host):
            if host == "slow":
                gevent.sleep(60)
            return super().addresses(host)

    server = gevent.spawn_later(0.6, _drain, deaf)
    endpoints = [Endpoint("a", port(deaf), False), Endpoint("slow", 1, False)]
    with dial(Slow(a=[ADDRESS]), "a.example", endpoints).sock as sock:
        assert sock.getpeername()[1] == port(deaf)
    server.kill()


def _drain(server):
    server.setblocking(False)
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            gevent.sleep(0.05)


def test_nothing_reached_is_one_sentence():
    with pytest.raises(Unreachable) as caught:
        dial(Names(a=["127.0.0.56", "127.0.0.57"]), "a.example", [Endpoint("a", 1, False)])
    said = str(caught.value)
    assert said == "The server of a.example cannot be reached: connection refused."


def test_a_missing_host_is_told_as_dns_tells_it():
    with pytest.raises(Unreachable, match="The name b does not exist in DNS") as caught:
        dial(Names(), "a.example", [Endpoint("b", 1, False)])
    assert caught.value.nowhere


def test_a_server_that_one_name_leads_to_is_somewhere():
    with pytest.raises(Unreachable) as caught:
        dial(Names(a=[ADDRESS]), "a.example", [Endpoint(host, 1, False) for host in "ab"])
    assert not caught.value.nowhere


def test_private_networks_are_left_alone_where_dns_is_anybodys(listener):
    endpoint = Endpoint("a", port(listener), False)
    with pytest.raises(Unreachable, match="private network") as caught:
        dial(Names(a=[ADDRESS]), "a.example", [endpoint], public=True)
    assert not caught.value.nowhere
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_nowhere_to_go_is_told():
    with pytest.raises(Unreachable, match="no address"):
        dial(Names(), "a.example", [])


def test_many_addresses_are_not_all_tried():
    class Counting(Names):
        asked = 0

        def addresses(self, host):
            self.asked += 1
            return [ADDRESS]

    names = Counting()
    with pytest.raises(Unreachable):
        dial(names, "a.example", [Endpoint(f"h{i}", 1, False) for i in range(100)])
    assert names.asked <= 17


def test_no_socket_is_left_open(listener):
    gc.collect()
    before = _open_files()
    names = Names(a=[ADDRESS] * 4)
    dial(names, "a.example", [Endpoint("a", port(listener), False)]).sock.close()
    with pytest.raises(Unreachable):
        dial(names, "a.example", [Endpoint("a", 1, False)])
    gevent.sleep(0.3)
    assert _open_files() <= before


def _open_files():
    return len(os.listdir("/proc/self/fd"))
