"""What scenes about waking clients share; the push service is played by a component."""

NS = "urn:xmpp:push:0"
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
