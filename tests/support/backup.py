"""Boxes that are backed up, and what is on them."""

import random
import subprocess
import time

from hausbote.base.settings import Settings
from hausbote.storage import open_store
from support.archive import page, rsm
from support.files import http_, put, slot
from support.rooms import Room
from support.sasl2_client import log_in, request_token, succeeded, token_login, token_of, user_agent
from support.worlds import PASSWORD, RunningWorld, hausbote

ROOM = "verona@rooms.h"
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
# A file beside the database; smaller ones are in it.  It is most of what a backup adds.
LARGE = random.Random(1).randbytes(262_144)


class BackedUp(RunningWorld):
    """A box with a repository; it makes backups when it is told to."""

    def __init__(self, state, repository, *settings, address):
        place = f"backup.repository={repository}"
        self.repository = repository
        super().__init__(state, place, "backup.hours=0", *settings, address=address)

    def backup(self, *arguments, check=True, state=None):
        return hausbote("backup", *arguments, state=state or self.state, check=check)

    @property
    def password(self):
        return self.state / "backup" / "password"

    def elsewhere(self, state):
        """This box in another state directory, which is not started."""
        other = object.__new__(type(self))
        other.__dict__ |= self.__dict__
        other.state = state
        return other

    def begin(self):
        """Start what was restored."""
        self.start()
        self.settings = Settings.load(self.state)
        self.store = open_store(self.settings.database_url)


def restic(repository, password, *arguments, **more):
    """The real program, as its owner would call it."""
    return subprocess.run(
        ["restic", "--no-cache", "-r", str(repository), "-p", str(password), *arguments],
        capture_output=True, text=True, check=True, **more,
    )  # fmt: skip


def furnish(box):
    """Put a bit of everything on it; returns what `look` sees then, and a token of romeo's."""
    for name in ("romeo", "juliet"):
        box.add_account(name)
    phone = box.client()
    phone.secure()
    token = token_of(log_in(phone, user_agent(), request_token()))
    phone.wire.cut()
    romeo = enter(box, "romeo")
    romeo.sends(
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>"
        "<item jid='juliet@h' name='My love'><group>Capulets</group></item></query></iq>"
    )
    romeo.answer("r")
    romeo.sends(
        "<iq type='set' id='d'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<publish node='{DEVICES}'><item id='current'>"
        "<list xmlns='eu.siacs.conversations.axolotl'><device id='31415'/></list>"
        "</item></publish></pubsub></iq>"
    )
    assert romeo.answer("d").get("type") == "result"
    for number in range(5):
        romeo.sends(f"<message to='juliet@h' type='chat'><body>line {number}</body></message>")
    room = Room("verona")
    room.make(romeo, "Romeo", persistentroom="1", roomname="Verona", enablearchiving="1")
    room.says(romeo, "Is the day so young?")
    romeo.settle_with(room)
    romeo.forget()
    paths = [share(box, romeo, content) for content in (LARGE, b"a small one")]
    romeo.leaves()
    return look(box, paths), token


def share(box, client, content):
    """Upload a file; its path."""
    place = slot(client, len(content), "picture.jpg")
    assert put(box, place, content)[0] == 201
    return place.path


def enter(box, name):
    client = box.client().log_in(name, PASSWORD)
    client.sends("<presence/>")
    client.settle()
    client.forget()
    return client


def look(box, paths):
    """What romeo, and who has the files' addresses, find on the box."""
    romeo = enter(box, "romeo")
    romeo.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    roster = romeo.answer("r")
    romeo.sends(
        "<iq type='get' id='d'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<items node='{DEVICES}'/></pubsub></iq>"
    )
    devices = [one.get("id") for one in romeo.answer("d").iter() if one.tag.endswith("}device")]
    found = {
        "roster": [(item.get("jid"), item.get("name"), item[0].text) for item in roster[0]],
        "devices": devices,
        "archive": page(romeo, rsm(max=50)).bodies,
        "room": _said(romeo),
        "files": [http_(box, "GET", path)[::2] for path in paths],
        "paths": paths,
    }
    romeo.leaves()
    return found


def _said(client):
    Room("verona").join(client, "Romeo")
    return page(client, rsm(max=50), to=ROOM).bodies


def logs_in_by_token(box, token):
    client = box.client()
    client.secure()
    answered = succeeded(token_login(client, token))
    client.wire.cut()
    return answered


def flip(path, at):
    """Turn a bit of a file that is read-only."""
    mode = path.stat().st_mode
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    path.chmod(mode)


def wait_for(condition):
    """For as long as it takes; tests have a time limit of their own."""
    while not (found := condition()):
        time.sleep(0.05)
    return found
