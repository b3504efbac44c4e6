"""The whole story in a real browser: claim, invite, join, a forgotten password.

Four people tell it, who differ in everything: device, language, scheme, JavaScript.
"""

import re

import pytest

from hausbote.portal.language import Language
from support.looking import PUBLIC, Look, Person
from support.nameserver import NameServer
from support.worlds import RunningWorld

LOOKS = (
    Look("phone", "de", "light"),
    Look("desk", "en", "light"),
    Look("phone", "en", "dark", script=False),
    Look("desk", "de", "dark"),
)
PASSWORD = "wherefore art thou"
NEW = "parting is such sweet sorrow"


class UnclaimedWorld(RunningWorld):
    """A box that somebody is about to claim."""

    @property
    def printed_url(self):
        """What `hausbote run` says last."""
        return re.findall(r"https://\S+/claim/\S+", "".join(self.said))[-1]


@pytest.fixture
def names(tmp_path):
    with NameServer(tmp_path, [f"{PUBLIC}. 60 IN A 127.0.0.1"]) as server:
        yield server


@pytest.fixture
def box(tmp_path, names):
    world = UnclaimedWorld(
        tmp_path / "state",
        f"dns.server={names.endpoint}",
        address="127.0.0.1",
        domain="localhost",
        portal=True,
    )
    yield world
    world.close()


class Story:
    def __init__(self, chromium, axe, box, look):
        self._chromium, self._axe, self._look = chromium, axe, look
        self.url = f"https://{PUBLIC}:{box.settings.ports.portal}"
        self.language = Language(look.language)
        self.say = self.language.say
        self.people = []

    def one(self, one, many):
        """A sentence about one of something."""
        return self.language.count(one, many, 1, count="")

    def two(self, one, many):
        """A sentence about two of something, which begins with that number."""
        number = {"de": "Zwei", "en": "Two"}[self._look.language]
        return self.language.count(one, many, 2, count=number)

    def person(self):
        made = Person(self._chromium, self._look, self.url, self._axe)
        self.people.append(made)
        return made


@pytest.fixture(params=LOOKS, ids=str)
def story(request, chromium, axe, box):
    made = Story(chromium, axe, box, request.param)
    yield made
    for person in made.people:
        person.close()


def test_the_whole_story(story, box, names):
    say, two = story.say, story.two
    juliet = story.person()

    # She types the code, first a wrong one, then opens the link that the box has printed.
    juliet.url = box.printed_url.partition("/claim")[0]
    juliet.go("/")
    juliet.sees(say("This box belongs to nobody yet"), "01-claim")
    juliet.fill(code="ABCD-EFGH-JKLM-NPQR")
    juliet.press(say("Claim the box"))
    juliet.sees(say("This box belongs to nobody yet"), "02-claim-wrong")
    juliet.go(box.printed_url)
    juliet.sees(say("Which language shall we speak?"), "03-language")
    juliet.press(say("Go on"))
    juliet.sees(say("What will everybody’s address be?"), "04-domain")
    juliet.fill(domain="verona")
    juliet.press(say("Go on"))
    juliet.sees(say("What will everybody’s address be?"), "05-domain-wrong")
    juliet.fill(domain=PUBLIC)
    juliet.press(say("Go on"))
    juliet.sees(say("The box starts again"), "06-restart")
    for line in box.process.stdout:  # a new start, after which she finds the next step
        if line.startswith("Ctrl-C"):
            break
    juliet.url = story.url
    juliet.go(f"/claim/{box.printed_url.rpartition('/')[2]}")
    juliet.go("/claim/administrator")
    juliet.sees(say("Who are you?"), "07-administrator")
    juliet.fill(name="juliet", password="short")
    juliet.press(say("This is me"))
    juliet.sees(say("Who are you?"), "08-administrator-wrong")
    juliet.fill(password=PASSWORD)
    juliet.press(say("This is me"))
    juliet.sees(say("Tell the world where %(domain)s is", domain=PUBLIC), "09-names")
    names.add(f"_xmpps-client._tcp.{PUBLIC}. 60 IN SRV 0 0 5223 {PUBLIC}.")
    juliet.press(say("Look again"))
    sent = say("They are sent to %(places)s.", places=f"{PUBLIC}:5223")
    juliet.page.get_by_text(sent).wait_for()
    juliet.press(say("Go on"))
    juliet.sees(say("The box needs a certificate"), "10-certificate")
    juliet.press(say("Go on"))
    juliet.sees(say("The box is yours"), "11-done")

    # She invites Romeo,
    juliet.press(say("Invite somebody"))
    juliet.sees(say("Whom do you invite?"), "12-invite")
    juliet.fill(note="Romeo")
    juliet.press(say("Make the invitation"))
    juliet.sees(say("Here is the invitation"), "13-invitation")
    link = juliet.page.locator("a.long").get_attribute("href")
    juliet.go("/invitations")
    juliet.sees(say("One invitation is open"), "14-invitations")

    # who follows the link with his own browser.
    romeo = story.person()
    romeo.go(link)
    romeo.sees(say("%(name)s invites you", name="Juliet"), "15-landing")
    romeo.fill(name="juliet", password=PASSWORD)
    romeo.press(say("Join"))
    romeo.sees(say("%(name)s invites you", name="Juliet"), "16-landing-taken")
    romeo.fill(name="romeo", password=PASSWORD)
    romeo.press(say("Join"))
    romeo.sees(say("Welcome, %(name)s", name="Romeo"), "17-welcome")
    for path, heading, name in (
        ("/me", say("This is you"), "18-me"),
        ("/me/devices", say("One device can get in"), "19-devices"),
        ("/me/password", say("Choose another password"), "20-password"),
        ("/me/files", say("You have shared no files"), "21-files"),
        ("/me/delete", say("Delete your account?"), "22-delete"),
        ("/me/profile", say("How others see you"), "37-profile"),
        (
            "/me/contacts",
            story.one("You know one person", "You know %(count)s people"),
            "38-contacts",
        ),
        ("/me/blocked", say("You have blocked nobody"), "39-blocked"),
        ("/me/security", say("What happened to your account"), "40-security"),
        ("/me/history", say("No message of yours is kept"), "41-history"),
        ("/me/export", say("Take all of it with you"), "42-export"),
        ("/box", say("This page is not for you"), "23-not-for-you"),
        ("/nothing", say("There is nothing here"), "24-nothing"),
    ):
        romeo.go(path)
        romeo.sees(heading, name)

    # The same link is good for nobody else.
    late = story.person()
    late.go("/privacy")
    late.sees(say("What happens to your data"), "36-privacy")
    late.go(link)
    late.sees(say("This link was used already"), "25-used")

    # Juliet looks after the box,
    juliet.go("/")
    juliet.sees(two("One thing needs you", "%(count)s things need you"), "26-home")
    juliet.go("/people")
    juliet.sees(two("One person has an account", "%(count)s people have an account"), "27-people")
    juliet.go("/people/romeo")
    juliet.sees("romeo", "28-person")
    juliet.press(say("Make a link"))
    juliet.sees(say("A new password for %(name)s", name="romeo"), "29-reset-made")
    reset = juliet.page.locator("a.long").get_attribute("href")
    juliet.go("/storage")
    shown = juliet.page.locator("h1").inner_text()
    assert shown.startswith(say("There is room for %(size)s more", size="").split("  ")[0][:10])
    juliet.sees(shown, "30-storage")
    juliet.go("/box")
    juliet.sees(two("One thing needs you", "%(count)s things need you"), "31-box")
    for path, name in (
        ("/rooms", "43-rooms"),
        ("/box/servers", "44-servers"),
        ("/box/log", "45-log"),
        ("/box/announcement", "46-announcement"),
        ("/reports", "47-reports"),
    ):
        juliet.go(path)
        juliet.sees(juliet.page.locator("h1").inner_text(), name)

    # and Romeo, who has forgotten his password, chooses another one.
    late.go(reset)
    late.sees(say("A new password for %(name)s", name="romeo"), "32-reset")
    late.fill(password=NEW)
    late.press(say("Take this password"))
    late.sees(say("This is you"), "18-me")
    romeo.go("/me")
    romeo.sees(say("Good to see you"), "34-login")
    romeo.fill(name="romeo", password=PASSWORD)
    romeo.press(say("Log in"))
    romeo.sees(say("Good to see you"), "35-login-wrong")
    romeo.fill(name="romeo", password=NEW)
    romeo.press(say("Log in"))
    romeo.sees(say("This is you"), "18-me")
    for person in (juliet, romeo, late):
        said = "".join(box.log(name) for name in ("portal", "c2s"))
        assert link.rpartition("/")[2] not in said
        assert PASSWORD not in said
        assert "romeo" not in said
        assert person.page.locator("main").count() == 1
