"""Everything that Hausbote writes into its log, as one closed vocabulary.

A line is a time, a level, an event's name and its fields.  Fields are numbers, truth values,
`Word`s and `Sentence`s, and neither can hold an address of a person: that is how logs stay free of
them.
"""

import contextlib
import re
import sys
import time
import traceback
from enum import Enum
from pathlib import Path
from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")


class Event(Enum):
    """What can happen: its level, and the sentence that explains it to an operator."""

    SERVICE_STARTED = "info", "A service is ready for work."
    SERVICE_STOPPING = "info", "A service was told to stop and says goodbye to its clients."
    SERVICE_DOWN = "error", "A service ends as soon as it starts; it is tried again and again."
    SERVICE_AGAIN = "info", "A service that had ended again and again stays now."
    SERVICE_ENDED = "warning", "A service ended by itself and was started again."
    XML_PARSER_OLD = (
        "warning",
        "Python's XML parser is older than expat 2.6; what it does not bound is bounded here.",
    )
    LISTENING = "info", "A service accepts connections on this port, or from the front."
    FRONT_REFUSED = (
        "warning",
        "Something else than the front came to a socket of the front's, or spoke otherwise.",
    )
    CERTIFICATE_RELOADED = "info", "New connections get the certificate that is now on disk."
    CERTIFICATE_UNUSABLE = "error", "The certificate on disk cannot be used; the old one stays."
    CERTIFICATE_DEPLOYED = "info", "A certificate of the authority took the place of the last one."
    CERTIFICATE_FAILED = (
        "warning",
        "No certificate came of it, for the reason named; it is tried again after these minutes.",
    )
    CERTIFICATE_ENDS_SOON = "warning", "The box's certificate ends soon; administrators were told."
    AUTHORITIES_UNUSABLE = "error", "A list of authorities or revocations cannot be used as it is."
    SESSION_STARTED = "debug", "A client logged in and bound a resource."
    SESSION_ENDED = "debug", "A client's session ended."
    SESSION_HIBERNATES = "debug", "A client's connection broke; its session waits for it."
    SESSION_RESUMED = "debug", "A client came back to its session."
    SESSIONS_KEPT = "info", "Clients that come back soon find their sessions as they left them."
    LOGIN_FAILED = (
        "info",
        "A login was refused, for the reason named; many wrong passwords are someone guessing.",
    )
    LOGINS_HELD_BACK = "warning", "Too many failed logins from one place: further ones must wait."
    STREAM_ERROR = "info", "A client's stream was ended by us, for the reason named."
    UNCLAIMED = (
        "warning",
        "Nobody has claimed this box: the file claim.txt has the address and the code for it.",
    )
    CLAIMED = "info", "The box has its first administrator."
    CLAIM_FAILED = "warning", "Somebody does not know the code of the claim, or tried too often."
    ACCOUNT_REGISTERED = "info", "Someone registered an account from their client."
    INVITATION_MADE = "info", "Someone made an invitation of this kind from their client."
    INVITATION_USED = (
        "info",
        "Someone came with an invitation of this kind, and got what it is for.",
    )
    COMPONENT_ATTACHED = "info", "A component proved that it knows its secret."
    COMPONENT_DETACHED = "info", "A component's connection ended."
    COMPONENT_REFUSED = "warning", "A component has the wrong secret, or its domain is not ours."
    ADMINISTERED = (
        "info",
        "An administrator ran this command from a client, or made this in the portal.",
    )
    PEER_REACHED = "debug", "We connected to another server."
    PEER_HEARD = "debug", "Another server connected to us and proved who it is."
    PEER_REFUSED = "warning", "Another server could not prove who it is, or is not wanted."
    PEER_UNREACHABLE = "info", "Another server cannot be reached; messages for it wait."
    PEER_LOST = "info", "The connection with another server broke."
    QUEUE_GIVEN_UP = "info", "Messages waited too long for another server; senders were told."
    STORE_FAILED = "error", "The database could not be written; check the disk and its free space."
    DISK_LOW = (
        "error",
        "The disk is nearly full: what would have to be kept is refused; see 'hausbote usage'.",
    )
    DISK_HAS_ROOM = "info", "The disk has room again, and nothing is refused for the want of it."
    STORE_WORKS_AGAIN = "info", "The database can be written again."
    BACKUP_TROUBLE = (
        "error",
        "The last backup failed, or there was none for too long; see 'hausbote status'.",
    )
    BACKUP_WORKS_AGAIN = "info", "There is a good backup again."
    STORAGE_TROUBLE = (
        "error",
        "Something is wrong with the disk or what is on it; see 'hausbote check storage'.",
    )
    STORAGE_WELL = "info", "That is over."
    CLOCK_DOUBTED = (
        "warning",
        "The clock jumped by more than a day: nothing is deleted until it is believed; if it is"
        " right, say 'hausbote clock accept'.",
    )
    CLOCK_BELIEVED = "info", "The clock is believed again."
    OUT_OF_FILES = (
        "error",
        "All descriptors are in use: nobody new is let in; raise the limit of open files.",
    )
    ROW_DAMAGED = (
        "error",
        "Something that was kept cannot be read and is left out; see 'hausbote check store'.",
    )
    RELAY_MISSING = (
        "warning",
        "Calls need coturn, which is not there: apt install coturn.",
    )
    RELAY_MOVED = "info", "The box has another address or network: the relay is started anew."
    RELAY_SECRET_CHANGED = "info", "The secret behind the relay's credentials was changed."
    FILE_FAILED = "error", "An uploaded file could not be written; check the disk."
    FILE_MISSING = "error", "An uploaded file is not on the disk; see 'hausbote files scrub'."
    UNDELIVERABLE = "warning", "A service of this box was away too long; senders were told."
    STANZA_REFUSED_BY_BUS = "error", "A service of this box sent something that is no stanza."
    BUG = "error", "A fault in Hausbote itself; please report the line."

    @property
    def level(self) -> str:
        return self.value[0]

    @property
    def sentence(self) -> str:
        return self.value[1]

    @property
    def word(self) -> str:
        """The event's name as the log writes it."""
        return self.name.lower().replace("_", "-")


class Word(str):
    """A technical word for the log; ValueError for anything that could be more than that."""

    __slots__ = ()
    _ALLOWED: Final = re.compile(r"[A-Za-z0-9._:/-]{1,120}\Z")

    def __new__(cls, text: str) -> "Word":
        if not cls._ALLOWED.match(text):
            raise ValueError("not a technical word")
        return super().__new__(cls, text)


class Sentence(str):
    """A sentence of ours for the operator; ValueError if an address could be in it."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Sentence":
        if "@" in text or not text.isprintable() or len(text) > 500:
            raise ValueError("not a sentence for the log")
        return super().__new__(cls, text)


_threshold = LEVELS.index("info")
_ranks: Final = {event: LEVELS.index(event.level) for event in Event}


def set_level(level: str) -> None:
    """Drop what is below `level` from now on."""
    global _threshold
    _threshold = LEVELS.index(level)


def log(event: Event, **fields: int | float | Word | Sentence) -> None:
    """Write one line to standard error, where the supervisor collects it."""
    if _ranks[event] < _threshold:
        return
    words = [_now(), event.level, event.word]
    for name, value in fields.items():
        if not isinstance(value, int | float | Word | Sentence):
            raise TypeError(f"{name} may not go into the log")
        words.append(f'{name}="{value}"' if isinstance(value, Sentence) else f"{name}={value}")
    with contextlib.suppress(OSError):  # nobody reads the log any more; clients still want service
        sys.stderr.write(" ".join(words) + "\n")
        sys.stderr.flush()


def bug(error: BaseException) -> None:
    """Report a fault of ours by its type and place; its message could hold an address."""
    frames = traceback.extract_tb(error.__traceback__)
    here = [f for f in frames if "hausbote" in f.filename] or frames
    if here:
        bug_at(type(error).__name__, here[-1].filename, here[-1].lineno or 0)
    else:
        bug_at(type(error).__name__, "unknown", 0)


def bug_at(kind: str, filename: str, line: int) -> None:
    """Report a fault of that type in that line of a file."""
    log(Event.BUG, type=_word(kind), at=_word(f"{Path(filename).name}:{line}"))


def _word(text: str) -> Word:
    """A Word of any text: what it may not hold is left out."""
    return Word(re.sub(r"[^A-Za-z0-9._:/-]", "", text)[:120] or "unknown")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
