"""hausbote invite: what it prints, what it refuses, and that its links work on a running box."""

import json
import re

import pytest

from support.client import Client
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld, hausbote

TOKEN = "[a-z2-7]{32}"
PARS = "urn:xmpp:pars:0"
REGISTER = "jabber:iq:register"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    state = tmp_path_factory.mktemp("invite") / "state"
    world = RunningWorld(state, "registration=invite", "ports.portal=8443", address="127.0.0.17")
    for name in ("romeo", "juliet"):
        world.add_account(name)
    yield world
    world.close()


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A box that is as `init` makes it, and does not run."""
    state = tmp_path_factory.mktemp("closed") / "state"
    hausbote("init", "--domain", "h", "--set", "ports.portal=0", state=state)
    return state


def links(house, *arguments):
    """The lines that `hausbote invite` prints."""
    return hausbote("invite", *arguments, state=house.state).stdout.splitlines()


def is_like(line, pattern):
    found = re.fullmatch(pattern.replace("TOKEN", f"({TOKEN})"), line)
    assert found, line
    return found[1]


def refused(state, *arguments):
    done = hausbote("invite", *arguments, state=state, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def listed(house):
    lines = hausbote("invite", "list", "--json", state=house.state).stdout.splitlines()
    return [json.loads(line) for line in lines]


def register(house, token, name, password="secret"):
    client = house.client()
    client.secure()
    client.sends(f"<iq type='set' id='p'><preauth xmlns='{PARS}' token='{token}'/></iq>")
    answer = client.next()
    if answer.get("type") == "result":
        client.sends(
            f"<iq type='set' id='r'><query xmlns='{REGISTER}'><username>{name}</username>"
            f"<password>{password}</password></query></iq>"
        )
        answer = client.next()
    client.wire.cut()
    return answer.get("type")


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ((), r"xmpp:h\?register;preauth=TOKEN"),
        (("--admin",), r"xmpp:h\?register;preauth=TOKEN"),
        (("--contact-of", "romeo@h"), r"xmpp:romeo@h\?roster;preauth=TOKEN"),
        (("--contact-of", "romeo@h", "--account"), r"xmpp:romeo@h\?roster;preauth=TOKEN;ibr=y"),
        (("--name", "jürgen@h"), r"xmpp:j%C3%BCrgen@h\?register;preauth=TOKEN"),
        (("--reset", "juliet@h"), r"xmpp:juliet@h\?register;preauth=TOKEN"),
    ],
)
def test_the_links(house, arguments, pattern):
    page, uri = links(house, *arguments)
    token = is_like(uri, pattern)
    assert page == f"https://h:8443/invite/{token}"
    hausbote("invite", "withdraw", str(listed(house)[-1]["id"]), state=house.state)


def test_a_link_makes_an_account_on_a_running_box(house):
    token = is_like(links(house, "--times", "2", "--note", "for two")[1], r".*=TOKEN")
    assert register(house, token, "nurse") == "result"
    one = listed(house)[-1]
    assert (one["used"], one["times"], one["note"], one["state"]) == (1, 2, "for two", "open")
    hausbote("invite", "withdraw", str(one["id"]), state=house.state)
    assert register(house, token, "paris") == "error"
    assert listed(house)[-1]["state"] == "withdrawn"
    assert token not in hausbote("invite", "list", state=house.state).stdout


def test_a_newcomer_of_a_circle_and_its_inviter(house):
    hausbote("circle", "make", "family", "romeo@h", "juliet@h", state=house.state)
    options = ("--circle", "family", "--contact-of", "romeo@h")
    token = is_like(links(house, *options)[1], r"xmpp:h\?register;preauth=TOKEN")
    assert register(house, token, "mercutio") == "result"
    listing = hausbote("circle", "list", state=house.state).stdout
    assert listing == "family: juliet mercutio romeo\n"
    contacts = house.store.rosters.load("mercutio").items
    assert {jid: one.groups for jid, one in contacts.items()} == {
        "juliet@h": ("family",),
        "romeo@h": ("family",),
    }


def test_a_link_for_another_password(house):
    house.add_account("benvolio")
    client = house.client().log_in("benvolio", PASSWORD)
    token = is_like(links(house, "--reset", "benvolio@h")[1], r".*=TOKEN")
    assert register(house, token, "benvolio", "a new one") == "result"
    client.is_ended_with("reset")
    again = Client(house.wire(), "h")
    again.secure()
    scram = ScramClient("benvolio", "a new one", "SCRAM-SHA-256")
    assert again.authenticate(scram, "SCRAM-SHA-256").tag.endswith("}success")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--contact-of", "nobody@h"), "no such account"),
        (("--contact-of", "romeo"), "NAME@h"),
        (("--reset", "nobody@h"), "no such account"),
        (("--reset", "romeo@h", "--circle", "family"), "--reset stands alone"),
        (("--circle", "nowhere"), "no such circle"),
        (("--name", "romeo@h"), "taken"),
        (("--name", "laurence@h", "--times", "2"), "once"),
        (("--note", "two\nlines"), "one line"),
        (("--note", "x" * 201), "200"),
        (("--times", "0"), "times"),
        (("--days", "366"), "days"),
        (("withdraw", "999999"), "no invitation 999999"),
    ],
)
def test_what_cannot_be_is_said(house, arguments, words):
    before = len(listed(house))
    assert words in refused(house.state, *arguments)
    assert len(listed(house)) == before


def test_what_a_name_is_taken_for_is_said(house):
    done = hausbote("invite", "--name", "ju1iet@h", state=house.state)
    assert "looks like juliet" in done.stderr


def test_a_closed_box_gives_out_no_link_that_nobody_could_use(closed):
    hausbote("user", "add", "romeo@h", "--password-stdin", state=closed, input="x")
    assert 'registration = "invite"' in refused(closed)
    assert 'registration = "invite"' in refused(closed, "--reset", "romeo@h")
    done = hausbote("invite", "--contact-of", "romeo@h", state=closed)
    is_like(done.stdout.strip(), r"xmpp:romeo@h\?roster;preauth=TOKEN")


def test_a_list_for_people(closed):
    hausbote("user", "add", "nurse@h", "--password-stdin", state=closed, input="x")
    hausbote("invite", "--contact-of", "nurse@h", "--note", "the friar", state=closed)
    line = hausbote("invite", "list", state=closed).stdout.splitlines()[-1]
    for word in ("open", "a contact", "by nurse@h", "(the friar)"):
        assert word in line
