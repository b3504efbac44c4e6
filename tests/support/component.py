"""A component for scenes (XEP-0114): like a client, but with a domain of its own."""

import hashlib

from support.client import STREAM, Client
from support.worlds import SECRET

ACCEPT = "jabber:component:accept"


class Component(Client):
    """Stanzas are compared without their content namespace, as a client's are."""

    def open(self, to=None, namespace=ACCEPT):
        """Send a header; returns what comes first, if anything does."""
        self._restart()
        to = to or self.domain
        self.send(f"<stream:stream xmlns='{namespace}' xmlns:stream='{STREAM}' to='{to}'>")

    def attach(self, secret=SECRET):
        """The whole handshake; returns the answer."""
        self.open()
        self.shake_hands(secret)
        return self.next()

    def shake_hands(self, secret=SECRET):
        while self.header is None:
            data = self.wire.recv(5)
            assert data, "no header comes"
            self._feed(data)
        digest = hashlib.sha1((self.header.get("id") + secret).encode()).hexdigest()
        self.send(f"<handshake>{digest}</handshake>")

    def next(self, seconds=5.0):
        element = super().next(seconds)
        for one in element.iter() if element is not None else ():
            if one.tag.startswith(f"{{{ACCEPT}}}"):
                one.tag = one.tag.replace(ACCEPT, "jabber:client")
        return element

    def settle(self):
        """Return when everything sent so far was dealt with."""
        self._pings += 1
        id = f"settle-{self._pings}"
        ping = "<ping xmlns='urn:xmpp:ping'/>"
        self.send(f"<iq type='get' id='{id}' from='{self.domain}' to='h'>{ping}</iq>")
        kept = []
        while True:
            stanza = self.next()
            assert stanza is not None, "the server does not answer"
            if stanza.get("id") == id:
                break
            kept.append(stanza)
        self._inbox = kept + self._inbox
