"""What scenes about publish-subscribe say again and again."""

import base64
import hashlib

PUBSUB = "http://jabber.org/protocol/pubsub"
OWNER = f"{PUBSUB}#owner"
EVENT = f"{PUBSUB}#event"
ERRORS = f"{PUBSUB}#errors"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
DISCO = "http://jabber.org/protocol/disco"


def form(kind, **values):
    """A filled-in form: field names without pubsub#."""
    fields = "".join(
        f"<field var='pubsub#{var}'>"
        + "".join(f"<value>{one}</value>" for one in ([value] if isinstance(value, str) else value))
        + "</field>"
        for var, value in values.items()
    )
    return (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
        f"<value>{PUBSUB}#{kind}</value></field>{fields}</x>"
    )


def iq(type, content, to=None, id="1", namespace=PUBSUB):
    address = f" to='{to}'" if to else ""
    return (
        f"<iq type='{type}' id='{id}'{address}><pubsub xmlns='{namespace}'>{content}</pubsub></iq>"
    )


def publish(node, payload, item=None, to=None, options=None, id="1"):
    name = f" id='{item}'" if item else ""
    wanted = f"<publish-options>{form('publish-options', **(options or {}))}</publish-options>"
    content = f"<publish node='{node}'><item{name}>{payload}</item></publish>"
    return iq("set", content + (wanted if options else ""), to, id)


def items(node, content="", to=None, attributes=""):
    return iq("get", f"<items node='{node}'{attributes}>{content}</items>", to)


def event(content, sender="*"):
    return (
        f"<message from='{sender}' type='headline' id='*'><event xmlns='{EVENT}'>{content}</event>"
        "</message>"
    )


def refused(condition, detail=None, **attributes):
    more = "".join(f" {k}='{v}'" for k, v in attributes.items())
    detail = f"<{detail} xmlns='{ERRORS}'{more}/>" if detail else ""
    return f"<iq type='error' id='1'><error><{condition} xmlns='{STANZAS}'/>{detail}</error></iq>"


def done(content=""):
    inner = f"<pubsub xmlns='{PUBSUB}'>{content}</pubsub>" if content else ""
    return f"<iq type='result' id='1'>{inner}</iq>"


def ver(*nodes):
    """The hash of a client that wants to hear of these nodes."""
    text = "client/phone//<" + "".join(f"{one}+notify<" for one in sorted(nodes))
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


def caps(*nodes, hash=None):
    return (
        "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test'"
        f" ver='{hash or ver(*nodes)}'/>"
    )


def answer(client, question, *nodes):
    """Say what the client can do."""
    listed = "".join(f"<feature var='{one}+notify'/>" for one in nodes)
    client.sends(
        f"<iq type='result' id='{question.get('id')}' to='{question.get('from')}'>"
        f"<query xmlns='{DISCO}#info' node='{question[0].get('node')}'>"
        f"<identity category='client' type='phone'/>{listed}</query></iq>"
    )


def listens(client, *nodes):
    """The client is available and wants to hear of these nodes; what came meanwhile is dropped."""
    arrives(client, *nodes)
    client.forget()


def arrives(client, *nodes):
    """Likewise, but messages that come because of that are there to be received."""
    client.sends(f"<presence>{caps(*nodes)}</presence>")
    came = client.came()
    for stanza in came:
        if stanza.get("type") == "get" and stanza[0].tag == f"{{{DISCO}#info}}query":
            answer(client, stanza, *nodes)
    client.unread(stanza for stanza in came if stanza.tag.endswith("message"))
