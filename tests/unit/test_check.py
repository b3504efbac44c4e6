"""hausbote check: what its users see of their own server, and of others."""

import json
import tomllib

import pytest

from support.authority import Shelf
from support.nameserver import NameServer, server_records
from support.peers import LonelyServer
from support.ports import free_ports
from support.worlds import RunningWorld, hausbote

DOMAIN = "house.example"
ADDRESS = "127.0.0.61"
OTHER = "127.0.0.62"
FRIEND = "chat.capulet.example"


class Federating(RunningWorld):
    federates = "yes"


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A name server that knows a box, and another domain whose server the tests make."""
    s2s, s2s_tls = free_ports(ADDRESS, 2)
    with NameServer(tmp_path_factory.mktemp("dns")) as server:
        server.s2s, server.s2s_tls = s2s, s2s_tls
        server.friend = free_ports(OTHER, 1)[0]
        server.add(
            *server_records(DOMAIN, ADDRESS, s2s, s2s_tls),
            f"{FRIEND}. 60 IN A {OTHER}",
            f"_xmpp-server._tcp.{FRIEND}. 60 IN SRV 0 0 0 .",
            f"_xmpps-server._tcp.{FRIEND}. 60 IN SRV 0 0 {server.friend} {FRIEND}.",
        )
        yield server


@pytest.fixture(scope="module")
def box(names, tmp_path_factory):
    world = Federating(
        tmp_path_factory.mktemp("check") / "state",
        f"ports.s2s={names.s2s}",
        f"ports.s2s_tls={names.s2s_tls}",
        f"dns.server={names.endpoint}",
        "tls.authorities=''",
        "tls.trust=['certs/ca.pem']",
        address=ADDRESS,
        domain=DOMAIN,
    )
    # Uploads and the proxy are for its own people, whose clients ask no SRV.
    below = [f"{kind}.{DOMAIN}" for kind in ("rooms", "pubsub")]
    names.add(
        f"_xmpp-client._tcp.{DOMAIN}. 60 IN SRV 0 0 {world.port} {DOMAIN}.",
        f"_xmpps-client._tcp.{DOMAIN}. 60 IN SRV 0 0 {world.tls_port} {DOMAIN}.",
        *[f"_xmpp-server._tcp.{name}. 60 IN SRV 0 0 {names.s2s} {DOMAIN}." for name in below],
    )
    yield world
    world.close()


@pytest.fixture
def outsider(names, authority, tmp_path):
    """A box that is not running and looks at others."""
    authority.write(tmp_path)
    chosen = [
        f"dns.server={names.endpoint}",
        "tls.authorities=''",
        f"tls.trust={json.dumps([str(tmp_path / 'root.pem')])}",
    ]
    settings = [argument for one in chosen for argument in ("--set", one)]
    state = tmp_path / "state"
    hausbote("init", "--domain", "outside.example", "--address", ADDRESS, *settings, state=state)
    return state


def check(state, *arguments, code):
    """{subject: (mark, the rest)} of each line."""
    done = hausbote("check", *arguments, state=state, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    assert len(set(done.stdout.splitlines())) == len(done.stdout.splitlines())
    lines = [line.partition(": ") for line in done.stdout.splitlines()]
    return {subject[6:]: (subject[:4].strip(), rest) for subject, _, rest in lines}


def marks(found):
    return {mark for mark, _ in found.values()}


# -- a box that is well ------------------------------------------------------------------------


def test_a_box_that_is_well_has_nothing_to_change(box):
    found = check(box.state, code=0)
    assert found.pop(f"host-meta of {DOMAIN}")[0] == "hint"  # nobody serves port 443 here
    assert marks(found) == {"good"}
    for subject in (
        f"SRV _xmpp-server._tcp.{DOMAIN}",
        f"SRV _xmpps-client._tcp.{DOMAIN}",
        f"servers at {DOMAIN}:{box_port(box, 's2s')}",
        f"clients at {DOMAIN}:{box.tls_port}",
        f"address of {DOMAIN}",
        f"names.rooms rooms.{DOMAIN}",
    ):
        assert subject in found
    assert "days" in found["certificate"][1]
    assert "SCRAM-SHA-256" in found[f"clients at {DOMAIN}:{box.port}"][1]


def box_port(box, name):
    return tomllib.loads((box.state / "hausbote.toml").read_text())["ports"][name]


def test_others_see_what_is_wrong_with_a_certificate(box, outsider):
    found = check(outsider, DOMAIN, code=1)
    mark, told = found["certificate"]
    assert mark == "bad"
    assert "Hausbote box CA" in told
    assert f'pins = ["{DOMAIN}=' in told
    mark, told = found[f"servers at {DOMAIN}:{box_port(box, 's2s')}"]
    assert mark == "hint"
    assert "does not accept our certificate" in told


def test_the_pin_that_is_proposed_is_taken(box, outsider):
    told = check(outsider, DOMAIN, code=1)["certificate"][1]
    pin = told.partition("pins = [")[2].partition("]")[0]
    settings = outsider / "hausbote.toml"
    settings.write_text(settings.read_text().replace("#pins = []", f"pins = [{pin}]"))
    mark, told = check(outsider, DOMAIN, code=0)["certificate"]
    assert mark == "good"
    assert "pinned until" in told


# -- what can be wrong -------------------------------------------------------------------------


def at_friend(names, **how):
    return LonelyServer(OTHER, names.friend, **how)


def test_every_bad_certificate_is_told_with_its_sentence(names, outsider, authority):
    shelf = Shelf(authority, FRIEND)
    said = set()
    for cause, identity in shelf.bad().items():
        with at_friend(names, identity=identity):
            found = check(outsider, FRIEND, code=1)
        mark, told = found["certificate"]
        assert mark == "bad", cause
        said.add(told.partition("->")[0])
        assert found[f"servers at {FRIEND}:{names.friend}"][0] == "hint"  # no way to prove oneself
    assert len(said) == len(shelf.bad())
    with at_friend(names, identity=shelf.good()["server"]):
        assert check(outsider, FRIEND, code=1)["certificate"][0] == "good"  # clients find nothing


def test_a_certificate_that_ends_soon_is_told(names, outsider, authority):
    with at_friend(names, identity=authority.issue(FRIEND, days=(-80, 5))):
        mark, told = check(outsider, FRIEND, code=1)["certificate"]
    assert mark == "hint"
    assert "more days" in told


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"features": b"<x/>"}, "not as an XMPP server"),
        ({"features": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "not as an XMPP server"),
        ({"features": b""}, "closes the connection"),
        ({"plain": b"SSH-2.0-OpenSSH\r\n"}, "breaks the connection"),
        ({"plain": b""}, "the connection"),
        (
            {
                "features": b"<stream:stream xmlns='jabber:server' version='1.0' "
                b"xmlns:stream='http://etherx.jabber.org/streams'><stream:error><host-unknown "
                b"xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
            },
            "host-unknown",
        ),
    ],
)
def test_a_server_that_is_none_is_told(names, outsider, authority, how, told):
    with at_friend(names, identity=authority.issue(FRIEND), **how):
        mark, said = check(outsider, FRIEND, code=1)[f"servers at {FRIEND}:{names.friend}"]
    assert mark == "bad"
    assert told in said


def test_nobody_at_the_port_is_told(names, outsider):
    mark, said = check(outsider, FRIEND, code=1)[f"servers at {FRIEND}:{names.friend}"]
    assert mark == "bad"
    assert "connection refused" in said


def test_a_domain_that_does_not_exist_is_told(outsider):
    found = check(outsider, "nowhere.example", code=1)
    assert "does not exist" in found["address of nowhere.example"][1]
    assert (
        "_xmpp-server._tcp.nowhere.example. 3600 IN SRV"
        in (found["SRV _xmpp-server._tcp.nowhere.example"][1])
    )


def test_a_denied_domain_is_told(outsider):
    settings = outsider / "hausbote.toml"
    text = settings.read_text().replace("#deny = []", 'deny = ["nowhere.example"]')
    settings.write_text(text)
    assert "federation.deny" in check(outsider, "nowhere.example", code=1)["rules"][1]


def test_without_dns_there_is_one_line(tmp_path):
    port = free_ports("127.0.0.63", 1)[0]
    state = tmp_path / "state"
    choice = ["--set", f"dns.server=127.0.0.63:{port}"]
    hausbote("init", "--domain", "house.example", "--address", ADDRESS, *choice, state=state)
    assert list(check(state, code=1)) == ["DNS"]


@pytest.mark.parametrize("domain", ["a b", "a" * 64 + ".example", "@", "-"])
def test_what_is_no_domain_is_told(tmp_path, domain):
    done = hausbote("check", domain, state=tmp_path, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_box_only_others_can_be_looked_at(tmp_path):
    done = hausbote("check", state=tmp_path / "nowhere", check=False)
    assert done.returncode == 1
    assert "hausbote init" in done.stderr
