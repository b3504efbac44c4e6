"""Asking archives: queries as XEP-0313 prints them, and what comes of them."""

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
CLIENT = "jabber:client"
FORWARD = "urn:xmpp:forward:0"


def form(**fields):
    """The filter; "_" stands for "-" in names, a list for many values."""
    written = f"<field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>"
    for name, value in fields.items():
        values = value if isinstance(value, list) else [value]
        inner = "".join(f"<value>{one}</value>" for one in values)
        written += f"<field var='{name.rstrip('_').replace('_', '-')}'>{inner}</field>"
    return f"<x xmlns='jabber:x:data' type='submit'>{written}</x>"


def rsm(**elements):
    """<set/>; None makes an empty element."""
    inner = "".join(
        f"<{name}/>" if value is None else f"<{name}>{value}</{name}>"
        for name, value in elements.items()
    )
    return f"<set xmlns='{RSM}'>{inner}</set>"


def query(*inner, id="q", to=None, queryid=None):
    attributes = f" to='{to}'" if to else ""
    named = f" queryid='{queryid}'" if queryid is not None else ""
    return (
        f"<iq type='set' id='{id}'{attributes}>"
        f"<query xmlns='{MAM}'{named}>{''.join(inner)}</query></iq>"
    )


class Page:
    """What came: the results, and the <fin/>."""

    def __init__(self, results, iq):
        self.results = results
        self.fin = iq.find(f"{{{MAM}}}fin")
        self.set = self.fin.find(f"{{{RSM}}}set")

    @property
    def bodies(self):
        return [one.findtext(f"{{{CLIENT}}}body") for one in self.messages]

    @property
    def messages(self):
        return [one.find(f".//{{{FORWARD}}}forwarded/{{{CLIENT}}}message") for one in self.results]

    @property
    def ids(self):
        return [one.find(f"{{{MAM}}}result").get("id") for one in self.results]

    @property
    def stamps(self):
        return [one.find(".//{urn:xmpp:delay}delay").get("stamp") for one in self.results]

    @property
    def complete(self):
        return self.fin.get("complete") == "true"

    def told(self, name):
        """first, last or count of the set; None if it is not there."""
        return self.set.findtext(f"{{{RSM}}}{name}")


def page(client, *inner, **attributes):
    """The page that a query brings."""
    client.sends(query(*inner, **attributes))
    results = []
    while True:
        came = client.next()
        assert came is not None, "no <fin/>"
        if came.tag == f"{{{CLIENT}}}iq":
            assert came.get("type") == "result", came
            return Page(results, came)
        results.append(came)


def refused(client, condition, *inner, **attributes):
    """The query brings nothing but that error."""
    client.sends(query(*inner, **attributes))
    client.receives(
        f"<iq type='error' id='q'><error><{condition}"
        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def stanza_ids(message):
    """What a message says of where it is kept: pairs of archive and id."""
    found = message.findall("{urn:xmpp:sid:0}stanza-id")
    return [(one.get("by"), one.get("id")) for one in found]
