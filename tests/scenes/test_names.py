"""Names that strangers make up, by tens of thousands, take nothing from those who live here."""

import itertools

from support.authority import Authority
from support.federation import log_in, make_houses, wait_until
from support.raw_peer import GreenWire, RawPeer
from support.worlds import PASSWORD, MemoryWorld

_fresh = itertools.count()
REGISTER = "jabber:iq:register"
INFO = "http://jabber.org/protocol/disco#info"


def made_up(count):
    """Elements whose names nobody has ever used."""
    return "".join(f"<made-up-{next(_fresh)}/>" for _ in range(count))


def answer(client, id, stanza):
    """The answer to a request, whatever else comes."""
    client.sends(stanza)
    while (found := client.next()) is not None:
        if found.get("id") == id:
            return found
    raise AssertionError(f"{id} was not answered")


def everything_works(client):
    """What people's clients do each day, and with names that are new here."""
    for number, payload in enumerate(
        (
            "<query xmlns='jabber:iq:roster'><item jid='nurse@h' name='Nurse'/></query>",
            "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>"
            "<max>5</max></set></query>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'>"
            "<item id='play@rooms.h'><conference xmlns='urn:xmpp:bookmarks:1' name='Play'>"
            f"<extensions>{made_up(200)}</extensions></conference></item></publish></pubsub>",
            "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@h'/></block>",
            "<enable xmlns='urn:xmpp:push:0' jid='bridge.h' node='phone'/>",
            f"<query xmlns='jabber:iq:private'><notes xmlns='urn:notes'>{made_up(200)}</notes></query>",
        )
    ):
        said = answer(client, f"w{number}", f"<iq type='set' id='w{number}'>{payload}</iq>")
        assert said.get("type") == "result", payload


def test_strangers_without_a_login_use_up_no_names(tmp_path):
    """Registration is closed; they come from many addresses."""
    world = MemoryWorld(tmp_path)
    world.add_account("juliet")
    juliet = world.client().log_in("juliet", PASSWORD, "home")
    for number in range(240):
        stranger = world.client()
        stranger.wire.address = f"192.0.2.{number // 8}"
        stranger.secure()
        request = f"<iq type='set' id='r'><query xmlns='{REGISTER}'>{made_up(90)}</query></iq>"
        assert answer(stranger, "r", request).get("type") == "error"
        stranger.wire.cut()
    everything_works(juliet)
    juliet.wire.cut()
    world.close()


def test_another_server_with_many_names_of_its_own_uses_up_no_names(tmp_path):
    """One certificate for all below its domain."""
    authority = Authority()
    (house,) = make_houses(tmp_path, "capulet.example", authority=authority)
    juliet = log_in(house, "juliet")
    identity = authority.issue("*.evil.example")
    handled = house.host.handled
    for number in range(30):
        domain = f"s{number}.evil.example"
        peer = RawPeer(GreenWire(house.address, house.port, tmp_path, identity), house.domain)
        peer.prove(domain)
        for part in range(4):
            peer.send(
                f"<iq type='get' id='d{part}' from='x@{domain}' to='capulet.example'>"
                f"<query xmlns='{INFO}'>{made_up(200)}</query></iq>"
            )
        wait_until(lambda number=number: house.host.handled >= handled + 4 * (number + 1))
        peer.wire.cut()
    everything_works(juliet)
    juliet.wire.cut()
    house.close()
