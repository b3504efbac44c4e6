"""People of a Hausbote and of servers of other makers."""

import pytest

from support.authority import Authority
from support.foreign import Ejabberd, Federating, Names, Prosody


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    directory = tmp_path_factory.mktemp("federation")
    names, authority = Names(directory), Authority()
    house = Federating(directory / "h", "house.example", "127.0.2.1", names, authority)
    house.add_account("juliet")
    yield directory, names, authority, house
    house.close()
    names.stop()


@pytest.fixture(scope="module", params=[Prosody, Ejabberd])
def foreign(request, place):
    directory, names, authority, _ = place
    name = request.param.__name__.lower()
    address = {"prosody": "127.0.2.2", "ejabberd": "127.0.2.3"}[name]
    server = request.param(directory / name, f"{name}.example", address, names, authority)
    server.add_account("romeo")
    yield server
    server.stop()


@pytest.fixture
def juliet(place):
    return come(place[3], "juliet", "balcony")


@pytest.fixture
def romeo(foreign):
    return come(foreign, "romeo", "orchard")


def come(server, local, resource):
    client = server.log_in(local, resource)
    client.sends("<presence/>")
    client.forget()
    return client


def test_messages_both_ways(juliet, romeo):
    juliet.sends(f"<message to='{romeo.bare}' type='chat' id='1'><body>Romeo?</body></message>")
    romeo.receives(f"<message from='{juliet.jid}' id='1'><body>Romeo?</body></message>")
    romeo.sends(f"<message to='{juliet.jid}' type='chat' id='2'><body>My dear?</body></message>")
    juliet.receives(f"<message from='{romeo.jid}' id='2'><body>My dear?</body></message>")
