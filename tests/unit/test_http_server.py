"""The HTTP server's own bookkeeping."""

import gevent
import pytest
from gevent import socket

from hausbote.net.address_book import AddressBook
from hausbote.net.http import HttpServer
from hausbote.net.listener import listen
from hausbote.net.traffic import Traffic


class BrokenShelf:
    """TLS cannot even be begun."""

    def connection(self):
        raise MemoryError


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("hausbote.net.http.bug", lambda _error: None)
    made = HttpServer(
        listen("127.0.0.1", 0), lambda *_: [], BrokenShelf(), AddressBook(1), Traffic()
    )
    made.start()
    yield made
    made.stop()


def test_a_connection_that_fails_at_once_does_not_count(server):
    """With one connection for each address, a second one gets as far as the first."""
    for _ in range(2):
        with gevent.Timeout(5), socket.create_connection(("127.0.0.1", server.server_port)) as one:
            assert one.recv(1) == b""
    assert server.book.enter("127.0.0.1")
