"""Whom somebody knows, and whom they have blocked."""

from werkzeug.wrappers import Response

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.portal_actions import AccountAction
from hausbote.portal.refusals import refuse_trouble
from hausbote.portal.visit import Visit


def show(visit: Visit) -> Response:
    """By name; who is only asked or approved is none yet."""
    items = visit.box.store.rosters.load(visit.local).items.values()
    blocked = frozenset(visit.box.store.blocklists.load(visit.local))
    listed = [item for item in items if item.listed]
    listed.sort(key=lambda item: ((item.name or item.jid).casefold(), item.jid))
    return visit.page("contacts.html", contacts=listed, blocked=blocked)


def remove(visit: Visit) -> Response:
    jid = visit.form.get("jid", "")
    refuse_trouble(visit, visit.box.asking.act(visit.local, AccountAction.REMOVE_CONTACT, jid))
    return visit.go("/me/contacts", visit.say("%(name)s is no contact of yours now.", name=jid))


def show_blocked(visit: Visit) -> Response:
    return _blocked_page(visit)


def _blocked_page(visit: Visit, status: int = 200, typed: str = "", wrong: str = "") -> Response:
    jids = visit.box.store.blocklists.load(visit.local)
    return visit.page("blocked.html", status, jids=jids, typed=typed, wrong=wrong)


def block(visit: Visit) -> Response:
    """An address, or all of a server."""
    typed = visit.field("jid")
    try:
        jid = JID.parse(typed)
    except InvalidJID:
        wrong = visit.say("That is no address: it looks like name@domain.")
        return _blocked_page(visit, 400, typed, wrong)
    if jid.domain == visit.box.settings.domain and jid.local in ("", visit.local):
        return _blocked_page(visit, 400, typed, visit.say("Neither yourself nor this box."))
    refuse_trouble(visit, visit.box.asking.act(visit.local, AccountAction.BLOCK, jid.bare))
    return visit.go("/me/blocked", visit.say("%(name)s is blocked.", name=jid.bare))


def unblock(visit: Visit) -> Response:
    jid = visit.form.get("jid", "")
    if jid not in visit.box.store.blocklists.load(visit.local):
        return visit.go("/me/blocked")
    refuse_trouble(visit, visit.box.asking.act(visit.local, AccountAction.UNBLOCK, jid))
    return visit.go("/me/blocked", visit.say("%(name)s can write to you again.", name=jid))
