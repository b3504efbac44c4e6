"""What administrators may ask about one account (XEP-0133 §4.8 to §4.10)."""

from typing import Final

from hausbote.base.clock import timestamp
from hausbote.core.command import Done, Values
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.administration.common import XEPS, declare, form, known
from hausbote.features.contacts import contacts_of, roster_payload
from hausbote.xmpp.data_form import Field
from hausbote.xmpp.xml import Markup

feature = Feature("administration: inquiries", xeps=XEPS)

_SOME: Final = Field("accountjids", (), "jid-multi", "The addresses of the accounts", required=True)
# The XEP asks for one account in accountjid; the suite that tests it fills in accountjids.
_ONE: Final = Field("accountjid", (), "jid-single", "The address of the account")
_OR_ONE: Final = Field("accountjids", (), "jid-multi", "Or here")


class LastLogin:
    """When an account's newest session began, in seconds since 1970."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = 0.0


@feature.on(Moment.BOUND)
def note(host: Host, session: Session) -> None:
    session.account.state(LastLogin).at = host.clock()


@declare(feature, "get-user-roster", "Get users' contacts", _SOME)
def roster(request: Request, values: Values) -> Done:
    accounts = known(request, values.get("accountjids", ()))
    rosters = []
    for _, account in accounts:
        contacts = contacts_of(request.host, account)
        listed = [item for item in contacts.items.values() if item.listed]
        rosters.append(roster_payload([*listed], contacts.version).xml)
    jids = Field("accountjids", tuple(jid.bare for jid, _ in accounts), "jid-multi")
    return Done(form("Contacts", jids, inside=Markup("".join(rosters))))


@declare(feature, "get-user-lastlogin", "Get users' last login", _SOME)
def last_login(request: Request, values: Values) -> Done:
    accounts = known(request, values.get("accountjids", ()))
    times = tuple(_last_login(request.host, account) for _, account in accounts)
    jids = Field("accountjids", tuple(jid.bare for jid, _ in accounts), "jid-multi")
    return Done(form("Last login", jids, Field("lastlogin", times, "text-multi")))


def _last_login(host: Host, account: Account) -> str:
    """Of who is away we know when they left, which is near enough and spares the disk."""
    if account.sessions:
        return timestamp(account.state(LastLogin).at)
    last = host.store.activity.last(account.local)
    return "never" if last is None else timestamp(last.at)


@declare(feature, "user-stats", "Get a user's statistics", _ONE, _OR_ONE)
def statistics(request: Request, values: Values) -> Done:
    """No addresses of networks: from where people connect is their own affair."""
    given = values.get("accountjid", ()) or values.get("accountjids", ())
    (jid, account), *_ = known(request, given)
    listed = [i for i in contacts_of(request.host, account).items.values() if i.listed]
    online = tuple(sorted(account.sessions))
    store = request.host.store
    waiting = store.offline.count(account.local)
    kept = store.usage.accounts(request.host.settings.domain, account.local)
    fields = (
        Field("accountjid", (jid.bare,), "jid-single"),
        Field("rostersize", (str(len(listed)),), "text-single", "Contacts"),
        Field("onlineresources", online, "text-multi", "Clients online"),
        Field("offlinemessages", (str(waiting),), "text-single", "Messages that wait"),
        Field("storedbytes", tuple([str(one.total) for one in kept]), "text-single", "Bytes kept"),
    )
    return Done(form("Statistics", *fields))
