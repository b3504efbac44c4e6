"""Announcements, the message of the day, the welcome (XEP-0133 §4.23 to §4.28).

A message of the day reaches everybody once: those who are here at once, the others when they come.
A welcome is for those who come for the first time.
"""

from typing import Final

from hausbote.base.tokens import token
from hausbote.core.command import Done, Step, Values
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.administration.common import XEPS, declare, declare_after, form, text
from hausbote.storage import MOTD
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el

feature = Feature("administration: notices", xeps=XEPS)

_WELCOME: Final = "welcome"
_ANNOUNCEMENT: Final = Field("announcement", (), "text-multi", "Announcement", required=True)
_MOTD: Final = Field(MOTD, (), "text-multi", "Message of the day", required=True)


class Shown:
    """That an account was looked at since the last change; nothing more is asked of the disk."""

    __slots__ = ("of",)

    def __init__(self) -> None:
        self.of: object = None


class Current:
    """The notices in force; another object after every change."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: dict[str, str] | None = None


def _current(host: Host) -> dict[str, str]:
    state = host.state(Current)
    if state.texts is None:
        found = {name: host.store.notices.get(name) for name in (_WELCOME, MOTD)}
        state.texts = {name: text for name, text in found.items() if text is not None}
    return state.texts


def _changed(host: Host) -> None:
    host.state(Current).texts = None


@declare(feature, "announce", "Send an announcement to users online", _ANNOUNCEMENT)
def announce(request: Request, values: Values) -> Done:
    announce_now(request.host, text(values, "announcement"))
    return Done()


def announce_now(host: Host, said: str) -> None:
    """Tell everybody who is here."""
    for account in host.directory.online_accounts():
        for session in account.available():
            _tell(host, session, said)


@declare(feature, "set-motd", "Set the message of the day", _MOTD)
def set_motd(request: Request, values: Values) -> Done:
    say_today(request.host, text(values, MOTD))
    return Done()


def say_today(host: Host, said: str) -> None:
    """Make it the message of the day; StorageError if the disk does not take it."""
    host.store.notices.set(MOTD, said)
    _changed(host)
    for account in host.directory.online_accounts():
        for session in account.available():
            if session.priority >= 0:
                show(host, session)
                break


def _prefilled(name: str, title: str, label: str) -> Step:
    def ask(request: Request, _values: Values) -> DataForm:
        lines = tuple(_current(request.host).get(name, "").splitlines())
        return form(title, Field(name, lines, "text-multi", label, required=True))

    return ask


@declare_after(
    feature,
    "edit-motd",
    "Edit the message of the day",
    _prefilled(MOTD, "Edit the message of the day", "Message of the day"),
)
def edit_motd(request: Request, values: Values) -> Done:
    """Who has seen it is not told again."""
    request.host.store.notices.edit(MOTD, text(values, MOTD))
    _changed(request.host)
    return Done()


@declare(feature, "delete-motd", "Delete the message of the day")
def delete_motd(request: Request, _values: Values) -> Done:
    take_back_today(request.host)
    return Done()


def take_back_today(host: Host) -> None:
    """There is no message of the day any more."""
    host.store.notices.remove(MOTD)
    _changed(host)


@declare_after(
    feature,
    "set-welcome",
    "Set the welcome message",
    _prefilled(_WELCOME, "Set the welcome message", "Welcome message"),
)
def set_welcome(request: Request, values: Values) -> Done:
    request.host.store.notices.edit(_WELCOME, text(values, _WELCOME))
    _changed(request.host)
    return Done()


@declare(feature, "delete-welcome", "Delete the welcome message")
def delete_welcome(request: Request, _values: Values) -> Done:
    request.host.store.notices.remove(_WELCOME)
    _changed(request.host)
    return Done()


@feature.on(Moment.READY)
def show(host: Host, session: Session) -> None:
    """Show what the account has not seen yet."""
    current = _current(host)
    if not current:
        return
    shown = session.account.state(Shown)
    if shown.of is current:
        return
    shown.of = current
    local, notices = session.account.local, host.store.notices
    is_new = host.store.activity.last(local) is None
    for name, said in current.items():
        if (name != _WELCOME or is_new) and notices.see(local, name):
            _tell(host, session, said)


def _tell(host: Host, session: Session, said: str) -> None:
    body = Child(ns.CLIENT, "body", el("body", said))
    to = session.jid.full
    session.send(stanza("message", body, from_=host.domain, to=to, type="headline", id=token(64)))
