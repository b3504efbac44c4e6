"""Where browsers are told to come with TLS only, and where that would lock somebody out."""

import pytest

from hausbote.certs.authority import make_certificates
from support.authority import Authority
from support.portal import PortalWorld

DOMAIN = "verona.example"
FIELD = "Strict-Transport-Security"


@pytest.fixture
def world_with(tmp_path):
    """A portal whose box shows that certificate; None is that of its own authority."""
    worlds = []

    def make(identity, domain=DOMAIN, **settings):
        certs = tmp_path / "certs"
        certs.mkdir()
        if identity is None:
            make_certificates(certs, [domain], [])
        else:
            identity.write(certs, "box")
        worlds.append(PortalWorld(tmp_path, domain=domain, **settings))
        return worlds[0]

    yield make
    for world in worlds:
        world.close()


def said(world, host=None, path="/login"):
    browser = world.browser(**({} if host is None else {"host": host}))
    return browser.get(path).headers.get(FIELD)


def test_a_domain_whose_certificate_is_renewed_says_so(world_with):
    world = world_with(Authority().issue(DOMAIN), certificates={"acme": "yes"})
    assert said(world) == "max-age=2592000"
    assert said(world, f"{DOMAIN}:8443", "/nothing") == "max-age=2592000"


@pytest.mark.parametrize("host", ["box.local", "192.0.2.1", "localhost", "[2001:db8::1]:8443"])
def test_other_names_of_the_box_say_nothing(world_with, host):
    """By them an owner gets in when the certificate has ended."""
    world = world_with(Authority().issue(DOMAIN), certificates={"acme": "yes"})
    answer = world.browser().client.get("/login", base_url="https://x", headers={"Host": host})
    assert answer.status_code == 200
    assert FIELD not in answer.headers


def test_a_box_that_waits_for_its_first_certificate_says_nothing(world_with):
    assert said(world_with(None, certificates={"acme": "yes"})) is None


def test_a_box_at_home_says_nothing(world_with):
    assert said(world_with(None, domain="box.local")) is None


def test_a_certificate_that_has_ended_says_nothing(world_with):
    ended = Authority().issue(DOMAIN, days=(-90, -1))
    assert said(world_with(ended, certificates={"acme": "yes"})) is None


def test_a_certificate_that_nobody_renews_says_nothing(world_with):
    assert said(world_with(Authority().issue(DOMAIN))) is None
