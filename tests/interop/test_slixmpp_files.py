"""Files between two people with slixmpp: uploaded and downloaded, and through the file proxy."""

import asyncio
import hashlib
import os
import ssl
import urllib.request

import pytest

from support.people import Person, people


class Sharer(Person):
    """Knows about files, too."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.register_plugin("xep_0363")
        self.register_plugin("xep_0065", {"auto_accept": True})


@pytest.fixture
def verona(box):
    box.add_account("romeo")
    box.add_account("juliet")
    return box


@pytest.fixture
def trusting(verona, monkeypatch):
    """The library's HTTP client has no setting for it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(verona.ca))


def download(box, url):
    context = ssl.create_default_context(cafile=str(box.ca))
    with urllib.request.urlopen(url, context=context) as answer:
        return answer.read()


@pytest.mark.usefixtures("trusting")
def test_a_picture_is_shared(verona, tmp_path):
    content = os.urandom(2_000_000)
    picture = tmp_path / "über uns.jpg"
    picture.write_bytes(content)

    async def evening():
        names = ("romeo/orchard", "juliet/balcony")
        async with people(verona, *names, kind=Sharer) as (romeo, juliet):
            url = await romeo.plugin["xep_0363"].upload_file(picture, domain="h", timeout=10)
            romeo.send_message("juliet@h", url, mtype="chat")
            heard = await juliet.hears()
            got = await asyncio.to_thread(download, verona, heard["body"])
            assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
        return True

    assert asyncio.run(evening())


@pytest.mark.usefixtures("trusting")
def test_too_large_a_file_is_not_even_tried(verona, tmp_path):
    from slixmpp.plugins.xep_0363 import FileTooBig

    file = tmp_path / "file"
    with file.open("wb") as sparse:
        sparse.truncate(200 * 1024 * 1024)

    async def evening():
        async with people(verona, "romeo/orchard", kind=Sharer) as romeo:
            with pytest.raises(FileTooBig):
                await romeo.plugin["xep_0363"].upload_file(file, domain="h", timeout=10)
        return True

    assert asyncio.run(evening())


def test_a_file_goes_through_the_proxy(verona):
    content = os.urandom(1_000_000)

    async def evening():
        names = ("romeo/orchard", "juliet/balcony")
        async with people(verona, *names, kind=Sharer) as (romeo, juliet):
            got = asyncio.Queue()
            juliet.add_event_handler("socks5_data", got.put_nowait)
            sock = await romeo.plugin["xep_0065"].handshake("juliet@h/balcony", timeout=10)
            await sock.write(content)
            received = b""
            while len(received) < len(content):
                received += await asyncio.wait_for(got.get(), 10)
            assert received == content
        return True

    assert asyncio.run(evening())
