"""Servers for scenes: one inside this process, and a real box."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import gevent

from hausbote.base.services import SERVICES
from hausbote.base.settings import Settings
from hausbote.c2s.components import ComponentServer
from hausbote.c2s.components.stream import ComponentStream
from hausbote.c2s.management import preserving
from hausbote.c2s.server import Server, offers
from hausbote.c2s.stream import ClientStream
from hausbote.core.bus import notify, open_bus, query_status
from hausbote.core.exchange import from_bus
from hausbote.net.waiting import GreenletRoom
from hausbote.storage import bounds_of, migrate, open_store
from hausbote.turn import service as turn_service
from hausbote.turn.caretaker import Caretaker
from hausbote.turn.desk import Desk
from hausbote.turn.secrets import secrets_of
from hausbote.upload.depot import Depot
from hausbote.xmpp.sasl import keys_for
from support.client import Client
from support.ports import free_ports
from support.wires import MemoryWire, TcpWire

DOMAIN = "h"
PASSWORD = "wherefore art thou"
KEYS = keys_for(PASSWORD)
COMPONENTS = ("bridge.h", "bot.h")
SECRET = "o happy dagger"
HAUSBOTE = [sys.executable, "-m", "hausbote.cli"]
_numbers = itertools.count()


def hausbote(*arguments, state, input=None, check=True):
    """Run the hausbote command."""
    done = subprocess.run(
        [*HAUSBOTE, "--state", str(state), *arguments],
        input=input, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


class MemoryWorld:
    """All services in this process, on the memory bus, with a fresh database."""

    name = "memory"

    def __init__(self, state: Path, domain=DOMAIN, **overrides):
        self.domain = domain
        raw = {"domain": domain, "bus": "memory:", "federation": {"enabled": "no"}} | overrides
        raw = {"relay": {"run": "elsewhere"}} | raw
        if domain == DOMAIN:
            components = {"secrets": [f"{name}={SECRET}" for name in COMPONENTS]}
            raw = {"components": components} | raw
        settings = Settings.from_dict(raw, state)
        migrate(settings.database_url)
        self.bus_url = f"memory:{next(_numbers)}"
        self.settings = settings
        self.store = open_store(settings.database_url, GreenletRoom(), bounds_of(settings))
        self.host, *self.others = (self._host(one.name) for one in SERVICES if one.domains)
        self.rooms, self.upload = self.others[:2]
        Depot(settings.uploads_dir).prepare(lambda _id: False)
        for host in (self.host, *self.others):
            host.started = time.monotonic()
            host.bus.serve(lambda frame, host=host: self.take(host, frame))
        self.turn = self._turn()
        self.server = _MemoryServer(self.host)
        self.components = ComponentServer(self.host)
        self.streams = []  # of clients, also those that have ended

    def take(self, host, frame):
        """A service handles a frame of another; returns what must be safe before it is."""
        return from_bus(host, frame)

    def _host(self, service):
        made = import_module(f"hausbote.{service}.service")
        return made.build_host(self.settings, self.store, self._bus(service))

    def _bus(self, service):
        return lambda undeliverable: open_bus(self.bus_url, service, undeliverable)

    def _turn(self):
        secrets = secrets_of(self.settings)
        secrets.make(time.time())
        bus = self._bus("turn")(lambda _service, _frame: None)
        desk = Desk(self.settings, secrets)
        bus.serve(turn_service.handler(desk, lambda: bus))
        caretaker = Caretaker(self.settings, desk, bus)
        bus.on_notify(lambda _: caretaker.look())
        return bus

    def void_credentials(self):
        """As if the owner had changed the relay's secret at once."""
        secrets, now = secrets_of(self.settings), time.time()
        secrets.rotate(now)
        secrets.forget_before(now)
        self.turn.notified({})

    def wire(self, **whence):
        wire = MemoryWire(**whence)
        wire.receiver = ClientStream(self.server, wire, time.monotonic())
        self.streams.append(wire.receiver)
        return wire

    def client(self, **whence):
        """`whence` may be an `address`, and a `way` to come."""
        return Client(self.wire(**whence), self.domain)

    def component_wire(self):
        wire = MemoryWire()
        wire.receiver = ComponentStream(self.components, wire)
        return wire

    def stop_clients_service(self):
        """In an orderly way; what is preserved is in the store."""
        for stream in self.streams:
            stream.leave_for_restart()
        preserving.preserve(self.host)
        self.host.bus.close(graceful=False)
        self.streams.clear()

    def start_clients_service(self):
        self.host = self._host("c2s")
        self.host.started = time.monotonic()
        preserving.restore(self.host)
        self.host.bus.serve(lambda frame, host=self.host: self.take(host, frame))
        self.server = _MemoryServer(self.host)
        self.components = ComponentServer(self.host)

    def add_account(self, local):
        """Anew, as in a running box."""
        if self.store.accounts.delete(local, f"{local}@{self.domain}"):
            self.server.account_changed({"account": local, "change": "deleted"})
        self.store.accounts.create(local, KEYS)

    def tell(self, message):
        """The service that has the accounts is told of a change, as by a command."""
        self.server.account_changed(message)

    def close(self):
        for host in (self.host, self.rooms, *self.others):
            host.bus.close(graceful=False)
        self.turn.close(graceful=False)
        gevent.sleep(0.001)
        self.store.close()


class _MemoryServer(Server):
    """A server without listeners and certificates."""

    def __init__(self, host):
        from hausbote.c2s.login import KeyRing
        from hausbote.c2s.portal_logins import guard_of

        self.host = host
        self.keys = KeyRing(host.store)
        self.guard = guard_of(host)
        self.offers = offers(host)
        self._strangers = set()

    def logged_in(self, stream):
        pass

    def woke(self, stream):
        pass

    def forget(self, stream):
        pass


class RunningWorld:
    """A box made by `hausbote init` and started by `hausbote run`; without a portal, which most tests
    do not need, unless that is asked for."""

    name = "running"
    federates = "no"

    def __init__(self, state: Path, *settings, address="127.0.0.9", domain=DOMAIN, portal=False):
        self.domain = domain
        self.state = state
        self.address = address
        ports = self.ports(address) | ({} if portal else {"portal": 0, "portal_http": 0})
        self.port, self.tls_port, self.web_port = ports["c2s"], ports["c2s_tls"], ports["web"]
        self.upload_port, self.proxy_port = ports["upload"], ports["proxy"]
        self.component_port = ports["component"]
        chosen = [
            *(f"ports.{name}={number}" for name, number in ports.items()),
            f"upload.url=https://{address}:{self.upload_port}",
            f"proxy.host={address}",
            f"federation.enabled={self.federates}",
            f"components.address={address}",
            "relay.run=elsewhere",
            f"components.secrets={json.dumps([f'{name}={SECRET}' for name in COMPONENTS])}",
            *settings,
        ]
        overrides = [argument for one in chosen for argument in ("--set", one)]
        hausbote("init", "--domain", domain, "--address", address, *overrides, state=state)
        self.prepare()
        self.process = None
        self.settings = Settings.load(state)
        self.start()
        self.store = open_store(self.settings.database_url)

    @staticmethod
    def ports(address):
        """Free ports for all services of ours."""
        names = [port.setting for one in SERVICES if one.is_ours for port in one.ports]
        return dict(zip(names, free_ports(address, len(names)), strict=True))

    def prepare(self):
        """What is done to a new box before it starts."""

    @property
    def ca(self):
        return self.state / "certs" / "ca.pem"

    def start(self):
        self.process = subprocess.Popen(
            [*HAUSBOTE, "--state", str(self.state), "run"], stdout=subprocess.PIPE, text=True
        )
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("Ctrl-C"):
                return
        raise AssertionError("the box does not start: " + self.log("c2s"))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def close(self):
        self.store.close()
        self.stop()

    def log(self, service):
        return (self.state / "log" / f"{service}.log").read_text()

    def wire(self):
        return TcpWire(self.address, self.port, self.ca, self.domain)

    def component_wire(self):
        return TcpWire(self.address, self.component_port, self.ca, self.domain)

    def direct_wire(self):
        return TcpWire(self.address, self.tls_port, self.ca, self.domain)

    def client(self):
        return Client(self.wire(), self.domain)

    def add_account(self, local):
        """Anew: what an earlier test left of it is gone."""
        if self.store.accounts.delete(local, f"{local}@{self.domain}"):
            message = {"account": local, "change": "deleted"}
            assert notify(self.state / "run", "c2s", message)
        self.store.accounts.create(local, KEYS)

    def tell(self, message):
        assert notify(self.state / "run", "c2s", message)

    def void_credentials(self):
        hausbote("relay", "rotate", "--now", state=self.state)

    def status(self, service):
        return query_status(self.state / "run", service)

    def pid(self, service):
        """Of the running service; waits while it is being started."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            done = hausbote("status", "--json", state=self.state, check=False)  # 1 while it starts
            pid = next(one["pid"] for one in json.loads(done.stdout) if one["service"] == service)
            if pid and self.status(service) is not None:
                return pid
            time.sleep(0.1)
        raise AssertionError(f"{service} does not come back")

    def signal(self, service, name):
        os.kill(self.pid(service), getattr(signal, name))

    def kill(self, service):
        """The supervisor starts it again."""
        self.signal(service, "SIGKILL")


def running_or_memory(request, running, tmp_path, **settings):
    """For a fixture with these two: the box of the fixture `running`, or a server in the process."""
    if request.param == "running":
        yield request.getfixturevalue(running)
        return
    memory = MemoryWorld(tmp_path, **settings)
    yield memory
    memory.close()
