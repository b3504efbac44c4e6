"""How many accounts there are, and which (XEP-0133 §4.13 to §4.22)."""

from collections.abc import Callable
from typing import Final

from hausbote.core.command import Done, Values
from hausbote.core.directory import Account
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.administration.common import XEPS, Unfit, declare, form
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import Field

feature = Feature("administration: lists", xeps=XEPS)

_MOST: Final = 1_000  # addresses in one answer
_CHOICES: Final = ("25", "50", "75", "100", "150", "200", "none")
_OPTIONS: Final = tuple((choice, choice) for choice in _CHOICES)
_MAX_ITEMS: Final = Field("max_items", ("none",), "list-single", "At most", options=_OPTIONS)

Finder = Callable[[Host], list[str]]


def _registered(host: Host) -> list[str]:
    return [account.local for account in host.store.accounts.all()]


def _disabled(host: Host) -> list[str]:
    return [account.local for account in host.store.accounts.all() if account.locked]


def _online(host: Host) -> list[str]:
    return sorted(account.local for account in host.directory.online_accounts())


def _active(host: Host) -> list[str]:
    return sorted(a.local for a in host.directory.online_accounts() if _is_active(a))


def _idle(host: Host) -> list[str]:
    return sorted(a.local for a in host.directory.online_accounts() if not _is_active(a))


def _is_active(account: Account) -> bool:
    """Whether some client of it is available and not away."""
    return any(_is_here(session) for session in account.available())


def _is_here(session: Session) -> bool:
    presence = session.presence
    return presence is not None and presence.text(ns.CLIENT, "show") not in ("away", "xa")


def _number(name: str, title: str, var: str, find: Finder) -> None:
    @declare(feature, name, title)
    def count(request: Request, _values: Values) -> Done:
        number = Field(var, (str(len(find(request.host))),), "text-single", title)
        return Done(form(title, number))


def _list(name: str, title: str, var: str, find: Finder) -> None:
    @declare(feature, name, title, _MAX_ITEMS)
    def show(request: Request, values: Values) -> Done:
        found = find(request.host)
        shown = found[: _limit(values)]
        jids = tuple(f"{local}@{request.host.domain}" for local in shown)
        rest = len(found) - len(shown)
        info = f"There are {rest} more." if rest else None
        return Done(form(title, Field(var, jids, "jid-multi", title)), info)


def _limit(values: Values) -> int:
    """What was chosen; nothing chosen is all, as far as one answer goes."""
    chosen = (*values.get("max_items", []), "none")[0]
    if chosen in ("none", ""):
        return _MOST
    if not (chosen.isascii() and chosen.isdigit() and 0 < int(chosen[:5]) <= _MOST):
        raise Unfit(f"max_items is a number up to {_MOST}, or none.")
    return int(chosen)


_number("get-registered-users-num", "Number of users", "registeredusersnum", _registered)
_number("get-disabled-users-num", "Number of disabled users", "disabledusersnum", _disabled)
_number("get-online-users-num", "Number of users online", "onlineusersnum", _online)
_number("get-active-users-num", "Number of active users", "activeusersnum", _active)
_number("get-idle-users-num", "Number of idle users", "idleusersnum", _idle)
_list("get-registered-users-list", "List of users", "registereduserjids", _registered)
_list("get-disabled-users-list", "List of disabled users", "disableduserjids", _disabled)
_list("get-online-users-list", "List of users online", "onlineuserjids", _online)
_list("get-active-users", "List of active users", "activeuserjids", _active)
_list("get-idle-users", "List of idle users", "idleuserjids", _idle)
