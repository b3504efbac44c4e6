"""For administrators: what people have reported, until somebody has seen to it (XEP-0377)."""

from typing import Final

from werkzeug.wrappers import Response

from hausbote.base.jid import JID, InvalidJID
from hausbote.portal.visit import Refused, Visit

_MOST: Final = 50  # on the page; the newest
_SPAM: Final = "urn:xmpp:reporting:spam"


def show(visit: Visit) -> Response:
    reports = visit.box.store.abuse_reports
    shown = reports.newest(_MOST)
    return visit.page(
        "reports.html",
        reports=[(one, _why(visit, one.reason), _local(visit, one.jid)) for one in shown],
        count=reports.count(),
    )


def done(visit: Visit, id: str) -> Response:
    known = id.isdecimal() and len(id) < 19
    if not known or not visit.box.store.abuse_reports.forget(int(id)):
        raise Refused(404, visit.say("There is no such report"), visit.say("Look at the list."))
    return visit.go("/reports", visit.say("The report is done with."))


def _why(visit: Visit, reason: str) -> str:
    return visit.say("for advertising") if reason == _SPAM else visit.say("for bad behaviour")


def _local(visit: Visit, jid: str) -> str:
    """The account here that was reported; "" if it is somebody elsewhere, or gone."""
    try:
        who = JID.parse(jid)
    except InvalidJID:
        return ""
    here = who.domain == visit.box.settings.domain
    return who.local if here and visit.box.store.accounts.exists(who.local) else ""
