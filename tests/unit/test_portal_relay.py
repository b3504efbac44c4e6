"""What c2s passes on of the portal's answers, small, large and broken off."""

import pytest
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from hausbote.base.portal_socket import SOCKET
from hausbote.c2s.portal_relay import PortalRelay
from hausbote.core.bus.unix import listen
from hausbote.net.http import Exchange


class _NoBody:
    def read(self, limit):
        return b""


@pytest.fixture
def passed_on(tmp_path):
    """passed_on(application): status, headers and pieces of what comes through."""
    servers = []

    def passed_on(application, method="GET"):
        server = WSGIServer(listen(str(tmp_path), SOCKET), application, spawn=Pool(2), log=None)
        server.start()
        servers.append(server)
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": "/", "QUERY_STRING": "", "HTTP_HOST": "h",
            "REMOTE_ADDR": "192.0.2.7", Exchange.KEY: _NoBody(),
        }  # fmt: skip
        told = []
        pieces = PortalRelay(str(tmp_path)).answer(environ, lambda *begun: told.extend(begun))
        return told[0], dict(told[1]), pieces

    yield passed_on
    for server in servers:
        server.stop()


def page(size, told=None):
    """An application whose page has that many bytes, and says that it has `told`."""

    def application(_environ, start):
        start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(told or size))])
        return [b"x" * size]

    return application


@pytest.mark.parametrize("size", [1, 65_536])
def test_a_small_page_comes_whole_and_lets_the_portal_go(passed_on, size):
    status, headers, pieces = passed_on(page(size))
    assert (status, headers["Content-Length"]) == ("200 OK", str(size))
    assert isinstance(pieces, list)
    assert b"".join(pieces) == b"x" * size


@pytest.mark.parametrize("size", [65_537, 5_000_000])
def test_a_large_page_comes_all_of_it_in_pieces(passed_on, size):
    status, headers, pieces = passed_on(page(size))
    assert (status, headers["Content-Length"]) == ("200 OK", str(size))
    found = list(pieces)
    assert max(map(len, found)) <= 65_536
    assert b"".join(found) == b"x" * size


def test_a_large_page_that_breaks_off_is_not_taken_for_a_whole_one(passed_on):
    _, _, pieces = passed_on(page(100_000, told=200_000))
    with pytest.raises(OSError, match="broken off"):
        list(pieces)


def test_a_small_page_that_breaks_off_is_told_as_away(passed_on):
    status, _, pieces = passed_on(page(10, told=20))
    assert status == "503 Service Unavailable"
    assert b"One moment" in b"".join(pieces)
