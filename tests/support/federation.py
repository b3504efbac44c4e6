"""Several boxes in this process that federate over loopback TLS, each with a domain of its own.

Every box has an address of its own for other servers, a certificate of a common authority, and a
resolver that knows the others.  The bus, the c2s and the rooms service are those of a MemoryWorld.
"""

import time

import gevent

from hausbote.net.dns import Endpoint, NameProblem
from hausbote.s2s.server import Server
from hausbote.s2s.service import build_gate
from hausbote.xmpp.stanza import Stanza
from support.authority import Authority
from support.ports import free_ports
from support.worlds import PASSWORD, MemoryWorld


class Names:
    """Where the servers of the tests are."""

    def __init__(self):
        self.places = {}

    def put(self, domain, address, port, *, direct_tls=False):
        """The server of that domain and of those below it."""
        self.places[domain] = [Endpoint(address, port, direct_tls)]

    def endpoints(self, domain, service="server"):
        name = domain
        while name:
            if name in self.places:
                return self.places[name]
            name = name.partition(".")[2]
        raise NameProblem(f"There is no server of the name {domain}.", lasting=True)

    def addresses(self, host):
        if host.endswith(".example"):
            what = f"The name {host} does not exist in DNS."
            raise NameProblem(what, lasting=True, nowhere=True)
        return [host]

    def free_port(self, address):
        return free_ports(address, 1)[0]

    def published(self, _endpoint):
        return None


class House(MemoryWorld):
    """A box with its s2s service."""

    def __init__(self, state, names, authority, domain, address, **overrides):
        self.state = state
        self.address = address
        self.port, self.direct_port = free_ports(address, 2)
        self.names = names
        self.authority = authority
        certs = state / "certs"
        certs.mkdir(parents=True)
        everything = [domain, f"*.{domain}"]
        authority.issue(*everything).write(certs, "box")
        root = authority.write(certs)
        federation = {"enabled": "yes"} | overrides.pop("federation", {})
        raw = {
            "address": address,
            "federation": federation,
            "tls": {"authorities": "", "trust": [str(root)]},
            "ports": {"s2s": self.port, "s2s_tls": self.direct_port},
            "dns": {"server": "127.0.0.53:53"},  # `names`, in truth; so loopback may be called
        }
        super().__init__(state, domain=domain, **raw | overrides)
        self.gate = None
        self.open_gate()

    def open_gate(self):
        """Start s2s, as after a crash."""
        self.gate = build_gate(self.settings, self.store, self._bus("s2s"), self.names)
        self.gate.host.started = time.monotonic()
        self.gate.resume()
        self.gate.host.bus.serve(lambda frame, gate=self.gate: gate.from_bus(frame))
        self.door = Server(self.gate)
        self.door.start()
        self.names.put(self.domain, self.address, self.port)

    def close_gate(self):
        self.door.stop()
        gevent.sleep(0.05)
        self.gate.host.bus.close(graceful=False)

    def kill_gate(self):
        """Without a word, as kill -9 does."""
        self.door.close()
        self.gate.host.bus.close(graceful=False)
        self.gate.stopping = True
        for stream in list(self.gate.streams):
            stream.ended = True
            stream.link = None
            stream.connection.abort()

    def close(self):
        self.close_gate()
        super().close()


def make_houses(directory, *domains, authority=None, **overrides):
    """Boxes that know each other."""
    names, authority = Names(), authority or Authority()
    return [
        House(directory / domain, names, authority, domain, f"127.0.1.{10 + number}", **overrides)
        for number, domain in enumerate(domains)
    ]


class Unsafe:
    """Makes the services of a box say for a while that what they took is not on disk yet."""

    def __init__(self, house, holds):
        """`holds` says of which stanzas."""
        self._callbacks = []
        self._holds = holds
        self._house = house
        self._take_before, house.take = house.take, self._take

    def _take(self, host, frame):
        pending = list(self._take_before(host, frame))
        return [*pending, self] if self._holds(Stanza.unpack(frame.payload)) else pending

    def __len__(self):
        return len(self._callbacks)

    def then(self, callback):
        self._callbacks.append(callback)

    def end(self):
        """All of it is safe now, as is what comes from now on."""
        self._house.take = self._take_before
        for callback in self._callbacks:
            callback()


def log_in(house, name, resource="home"):
    """A person who is there."""
    house.add_account(name)
    client = house.client().log_in(name, PASSWORD, resource)
    client.sends("<presence/>")
    client.forget()
    return client


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this does not come about"
        gevent.sleep(0.01)
