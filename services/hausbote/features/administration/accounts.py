"""Making, changing and ending accounts and their sessions (XEP-0133 §4.1 to §4.7, §4.29)."""

from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.command import Done, Values
from hausbote.core.directory import Account
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.features.account_names import doubts
from hausbote.features.administration.common import (
    XEPS,
    Unfit,
    address,
    declare,
    declare_after,
    form,
    known,
    single,
)
from hausbote.features.closing import end_sessions, erase
from hausbote.storage import AccountExists
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.errors import Conflict, StreamError
from hausbote.xmpp.sasl import ScramKeys, keys_for

feature = Feature(
    "administration of accounts",
    xeps=XEPS,
    partial={"0133": "no lists of servers, no restart and shutdown: these are the owner's"},
)

_MAX_PASSWORD: Final = 1_023  # bytes
_ONE: Final = Field("accountjid", (), "jid-single", "The address of the account", required=True)
_SOME: Final = Field("accountjids", (), "jid-multi", "The addresses of the accounts", required=True)
_PASSWORD: Final = Field("password", (), "text-private", "The password", required=True)
_AGAIN: Final = Field("password-verify", (), "text-private", "The password again", required=True)


@declare(feature, "add-user", "Add a user", _ONE, _PASSWORD, _AGAIN)
def add(request: Request, values: Values) -> Done:
    jid = address(request, single(values, "accountjid"))
    if jid.resource:
        raise Unfit("An account's address has no resource.")
    password = single(values, "password")
    if single(values, "password-verify") != password:
        raise Unfit("The two passwords are not the same.")
    host = request.host
    keys, names = _keys(host, password), host.store.accounts.names()
    doubt: str | None = host.compute(doubts, host.settings, jid.local, names)
    try:
        host.store.accounts.create(jid.local, keys)
    except AccountExists:
        raise Conflict("this account exists") from None
    return Done(info=doubt)


@declare(feature, "delete-user", "Delete users", _SOME)
def delete(request: Request, values: Values) -> Done:
    accounts = known(request, values.get("accountjids", ()))
    _spare_an_admin(request.host, {jid.local for jid, _ in accounts})
    for _, account in accounts:
        erase(request.host, account)
    why = StreamError("not-authorized", "the account was deleted")
    _end_afterwards(request, accounts, why)
    return Done()


@declare(feature, "disable-user", "Disable users", _SOME)
def disable(request: Request, values: Values) -> Done:
    accounts = known(request, values.get("accountjids", ()))
    _spare_an_admin(request.host, {jid.local for jid, _ in accounts})
    for jid, _ in accounts:
        request.host.store.accounts.set_locked(jid.local, True)
    _end_afterwards(request, accounts, StreamError("not-authorized", "the account is locked"))
    return Done()


@declare(feature, "reenable-user", "Re-enable users", _SOME)
def reenable(request: Request, values: Values) -> Done:
    for jid, _ in known(request, values.get("accountjids", ())):
        request.host.store.accounts.set_locked(jid.local, False)
    return Done()


@declare(feature, "end-user-session", "End users' sessions", _SOME)
def end(request: Request, values: Values) -> Done:
    """All of an account, or the one that is named by its full address."""
    accounts = known(request, values.get("accountjids", ()))
    for jid, account in accounts:
        if jid.resource and jid.resource not in account.sessions:
            raise Unfit(f"{jid} is not online.")
    why = StreamError("reset", "an administrator ended the session")
    for jid, account in accounts:
        _end_one_afterwards(request, account, why, jid.resource)
    return Done()


@declare(feature, "change-user-password", "Change a user's password", _ONE, _PASSWORD)
def change_password(request: Request, values: Values) -> Done:
    accounts = known(request, (single(values, "accountjid"),))
    keys = _keys(request.host, single(values, "password"))
    request.host.store.accounts.set_keys(accounts[0][0].local, keys)
    _end_afterwards(request, accounts, StreamError("reset", "the password was changed"))
    return Done()


def _admins(request: Request, _values: Values) -> DataForm:
    host = request.host
    admins = tuple(f"{local}@{host.domain}" for local in host.store.accounts.admins())
    field = Field("adminjids", admins, "jid-multi", "The administrators")
    return form("Edit the list of administrators", field)


@declare_after(feature, "edit-admin", "Edit the list of administrators", _admins)
def edit_admins(request: Request, values: Values) -> Done:
    """At least one stays: an administrator could not be made from a client any more."""
    accounts = request.host.store.accounts
    wanted = {jid.local for jid, _ in known(request, values.get("adminjids", ()))}
    locked = {account.local for account in accounts.all() if account.locked}
    if not wanted - locked:
        raise Unfit("One administrator has to be able to log in.")
    for local in wanted:
        accounts.set_admin(local, True)
    for local in set(accounts.admins()) - wanted:
        accounts.set_admin(local, False)
    return Done()


def _spare_an_admin(host: Host, locals: set[str]) -> None:
    if not set(host.store.accounts.admins()) - locals:
        raise Unfit("The last administrator cannot go.")


def _keys(host: Host, password: str) -> dict[str, ScramKeys]:
    if len(password.encode()) > _MAX_PASSWORD:
        raise Unfit("The password is too long.")
    try:
        keys: dict[str, ScramKeys] = host.compute(keys_for, password)
    except InvalidJID as problem:
        raise Unfit(f"This cannot be a password: {problem}.") from None
    return keys


def _end_afterwards(
    request: Request, accounts: list[tuple[JID, Account]], why: StreamError
) -> None:
    for _, account in accounts:
        _end_one_afterwards(request, account, why)


def _end_one_afterwards(
    request: Request, account: Account, why: StreamError, resource: str = ""
) -> None:
    """When the answer is written, for it may be the administrator's own session."""
    request.afterwards.append(lambda: end_sessions(request.host, account, why, resource))
