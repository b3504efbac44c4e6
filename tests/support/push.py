"""What scenes about waking clients share; the push service is played by a component."""

from support.pep import publish

NS = "urn:xmpp:push:0"
BOOKMARKS = "urn:xmpp:bookmarks:1"
SETTINGS = "urn:xmpp:notification-settings:1"
PUBSUB = "http://jabber.org/protocol/pubsub"


def enable(client, node="phone"):
    client.sends(f"<iq type='set' id='e'><enable xmlns='{NS}' jid='bridge.h' node='{node}'/></iq>")
    client.receives("<iq type='result' id='e'/>")


def woken(bridge, node="phone"):
    """The push service hears of it, and nothing of what was said or by whom; it thanks."""
    query = bridge.receives(
        f"<iq type='set' from='h' to='bridge.h' id='*'><pubsub xmlns='{PUBSUB}'>"
        f"<publish node='{node}'><item><notification xmlns='{NS}'/></item></publish></pubsub></iq>"
    )
    assert len(query.find(f".//{{{NS}}}notification")) == 0
    bridge.sends(f"<iq type='result' id='{query.get('id')}' from='bridge.h' to='h'/>")
    bridge.settle()


def wants(client, room, setting, nick="Julie"):
    """A bookmark with notification settings, as clients keep it."""
    notify = f"<extensions><notify xmlns='{SETTINGS}'>{setting}</notify></extensions>"
    payload = f"<conference xmlns='{BOOKMARKS}'><nick>{nick}</nick>{notify}</conference>"
    client.sends(publish(BOOKMARKS, payload, room.jid, options={"access_model": "whitelist"}))
    client.settle()
    client.forget()
