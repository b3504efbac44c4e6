"""Fixtures that all families of tests share."""

import os

import pytest
from hypothesis import settings

from support.authority import Authority
from support.component import Component
from support.worlds import PASSWORD, RunningWorld, running_or_memory

settings.register_profile("everyday", max_examples=60, deadline=None)
settings.register_profile("long", max_examples=3000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))

_PATIENT = {
    "containers": 1_800,
    "faults": 600,
    "interop": 600,
    "kills": 3_600,
    "portal": 600,
}  # seconds; others have those of pyproject.toml


def pytest_collection_modifyitems(items):
    """Families that restart boxes or wait for other people's programs may take longer."""
    for item in items:
        for family, seconds in _PATIENT.items():
            if family in item.path.parts and item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture(scope="session")
def authority():
    """Certifies servers, in the tests' own world."""
    return Authority()


@pytest.fixture(scope="session")
def box(tmp_path_factory):
    """A running box; tests that change its settings make their own.

    All failed logins of a whole run come from one address in a few minutes, so it allows more.
    So it is with what one person asks for in an hour.
    """
    more = ("limits.login_attempts=100", "limits.relay_credentials_per_hour=100")
    world = RunningWorld(tmp_path_factory.mktemp("box") / "state", *more, portal=True)
    yield world
    world.close()


@pytest.fixture(params=["memory", "running"])
def world(request, tmp_path):
    """A server: inside the process, and then a real one."""
    yield from running_or_memory(request, "box", tmp_path)


class Cast:
    """cast("romeo", "juliet/phone") logs people in and makes them available."""

    def __init__(self, world):
        self.world = world
        self.clients = []
        self._known = set()

    def __call__(self, *names, available=True):
        clients = [self.log_in(name) for name in names]
        if available:
            for client in clients:
                client.sends("<presence/>")
                client.forget()
            for client in clients:
                client.forget()
        return clients[0] if len(clients) == 1 else clients

    def account(self, *names):
        """Accounts that nobody is logged in to."""
        for name in names:
            if name not in self._known:
                self._known.add(name)
                self.world.add_account(name)

    def log_in(self, name):
        local, _, resource = name.partition("/")
        self.account(local)
        client = self.world.client().log_in(local, PASSWORD, resource or "somewhere")
        self.clients.append(client)
        return client

    def befriend(self, one, other):
        """Both see each other's presence; what they receive meanwhile is dropped."""
        one.sends(f"<presence type='subscribe' to='{other.bare}'/>")
        one.settle()
        other.sends(f"<presence type='subscribed' to='{one.bare}'/>")
        other.sends(f"<presence type='subscribe' to='{one.bare}'/>")
        other.settle()
        one.sends(f"<presence type='subscribed' to='{other.bare}'/>")
        for client in (one, other, one, other):
            client.forget()


@pytest.fixture
def cast(world):
    people = Cast(world)
    yield people
    for client in people.clients:
        client.wire.cut()


@pytest.fixture
def running(box):
    """A cast at the running box, for what there is no memory world of: `running.world` is it."""
    people = Cast(box)
    yield people
    for client in people.clients:
        client.wire.cut()


@pytest.fixture
def component(world):
    """Makes components and lets them go at the end."""
    made = []

    def make(domain="bridge.h"):
        one = Component(world.component_wire(), domain)
        made.append(one)
        return one

    yield make
    for one in made:
        one.wire.cut()


@pytest.fixture
def bridge(component):
    bridge = component()
    assert bridge.attach().tag == "{jabber:client}handshake"
    yield bridge
    bridge.leaves()
