"""People who go on whatever is killed around them: they come back, and know what was confirmed."""

import itertools
import threading
import time
from contextlib import suppress

from support.files import put, slot
from support.rooms import MUC, OWNER, USER, form

SM = "urn:xmpp:sm:3"
CLIENT = "{jabber:client}"
_COUNTED = tuple(f"{CLIENT}{name}" for name in ("message", "presence", "iq"))
_WINDOW = 40  # messages that may be without an acknowledgement
_PAUSE = 0.02  # seconds between two messages


class Person:
    """One account in one box, in a thread of its own."""

    def __init__(self, box, name):
        self.box, self.name = box, name
        self.bare = f"{name}@{box.domain}"
        self.twice = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        """Come to an end; what was said is waited for."""
        self._stopped.set()

    def join(self):
        self._thread.join(60)
        assert not self._thread.is_alive(), f"{self.bare} hangs"

    def _run(self):
        while not self._stopped.is_set():
            with suppress(OSError, AttributeError, AssertionError):  # in the middle of a kill
                self.live(self.box.log_in(self.name, "home"))
            self._stopped.wait(0.1)

    def live(self, client):
        raise NotImplementedError


class Listener(Person):
    """Is there to be talked to; notices what comes twice in one session."""

    def live(self, client):
        client.send("<presence/>")
        seen = set()
        while not self._stopped.is_set() and not client.ended:
            self.hear(client.next(0.5), seen)
        client.wire.cut()

    def hear(self, stanza, seen):
        if stanza is None or stanza.tag != f"{CLIENT}message" or stanza.get("type") == "error":
            return
        body = stanza.findtext(f"{CLIENT}body")
        key = stanza.get("from").partition("/")[0], body
        if body is not None and key in seen:
            self.twice.append(f"{self.bare} got {body} from {key[0]} twice in one session")
        seen.add(key)


class Talker(Listener):
    """Says numbers, in turn to the other box, to its own and in a room; nothing is said twice."""

    def __init__(self, box, name, other):
        super().__init__(box, name)
        self.other = other
        self.room = f"{box.domain.partition('.')[0]}@rooms.{box.domain}"
        self.sent = 0
        self.refused = set()
        self._acknowledged = []  # ranges of numbers

    @staticmethod
    def kind(number):
        return ("far", "near", "room")[number % 3]

    def acknowledged(self):
        return set(itertools.chain.from_iterable(self._acknowledged))

    def summary(self):
        return f"{self.bare} said {self.sent}, {len(self.acknowledged())} were acknowledged"

    def live(self, client):
        client.send("<presence/>")
        self._enter(client)
        client.send(f"<enable xmlns='{SM}'/>")
        while client.next(20).tag != f"{{{SM}}}enabled":
            pass
        first, heard, seen = self.sent, _Heard(), set()
        try:
            while not self._stopped.is_set() or heard.acknowledged < self.sent - first:
                if self._stopped.is_set():
                    client.send(f"<r xmlns='{SM}'/>")
                elif self.sent - first - heard.acknowledged < _WINDOW:
                    self._say(client)
                self._listen(client, heard, seen)
        finally:
            self._acknowledged.append(range(first, first + heard.acknowledged))
            with suppress(OSError):
                client.wire.cut()

    def say_last(self):
        """Numbers that come after everything else, to the other box; the first of them."""
        number = self.sent + (-self.sent % 3)
        self.sent = number + 1
        client = self.box.log_in(self.name, "home")
        client.send(self._message(number))
        client.settle()
        client.leaves()
        return number

    def _enter(self, client):
        client.send(f"<presence to='{self.room}/{self.name}'><x xmlns='{MUC}'/></presence>")
        while True:
            stanza = client.next(20)
            if stanza.tag != f"{CLIENT}presence" or not stanza.get("from").startswith(self.room):
                continue
            assert stanza.get("type") is None
            codes = [one.get("code") for one in stanza.iter(f"{{{USER}}}status")]
            if "201" in codes:
                client.send(
                    f"<iq type='set' id='c' to='{self.room}'><query xmlns='{OWNER}'>"
                    f"{form(persistentroom='1')}</query></iq>"
                )
            if "110" in codes:
                return

    def _say(self, client):
        number, self.sent = self.sent, self.sent + 1
        client.send(self._message(number) + f"<r xmlns='{SM}'/>")

    def _message(self, number):
        kind = self.kind(number)
        domain = self.other.domain if kind == "far" else self.box.domain
        to = self.room if kind == "room" else f"listener@{domain}"
        type = "groupchat" if kind == "room" else "chat"
        return f"<message to='{to}' type='{type}' id='{number}'><body>{number}</body></message>"

    def _listen(self, client, heard, seen):
        stanza = client.next(_PAUSE)
        if stanza is None:
            if client.ended:
                raise ConnectionResetError
            return
        if stanza.tag in _COUNTED:
            heard.came += 1
        if stanza.tag == f"{{{SM}}}r":
            client.send(f"<a xmlns='{SM}' h='{heard.came}'/>")
        elif stanza.tag == f"{{{SM}}}a":
            heard.acknowledged = int(stanza.get("h"))
        elif stanza.tag == f"{CLIENT}message" and stanza.get("type") == "error":
            self.refused.add(int(stanza.get("id")))
        else:
            self.hear(stanza, seen)


class _Heard:
    def __init__(self):
        self.acknowledged = 0
        self.came = 0


class Uploader(Person):
    """Sends files, small ones and larger ones; `confirmed` are those that were answered with 201."""

    def __init__(self, box, name):
        super().__init__(box, name)
        self.confirmed = []
        self._sizes = itertools.cycle((100, 5_000, 40_000, 300_000))

    def live(self, client):
        while not self._stopped.is_set():
            size = next(self._sizes)
            content = bytes([len(self.confirmed) % 256]) * size
            place = slot(client, size)
            status, _, _ = put(self.box, place, content)
            if status == 201:
                self.confirmed.append((place.path, content))
            time.sleep(0.05)
