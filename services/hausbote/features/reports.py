"""Reports of spam and abuse that come with a block, for the administrators (XEP-0377).

They go to the administrators of the box and to nobody else, whatever processing they would allow:
as messages, and onto a page of the portal until one of them has seen to it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hausbote.base.jid import JID
from hausbote.base.tokens import token
from hausbote.core.directory import Account
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.throttle import Throttle
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest
from hausbote.xmpp.stanza import Child, child, stanza
from hausbote.xmpp.xml import Tree, el

feature = Feature("reports", xeps={"0377": "0.4.1"}, disco=(ns.REPORTING,))

_HOUR: Final = 3_600.0
_MAX_TEXT: Final = 2_000  # characters
_MAX_REASON: Final = 200  # characters of a URI; those of the XEP have some thirty
_MAX_STANZAS: Final = 50  # that one report points to
_REASON: Final = "urn:xmpp:reporting:"


class Report(NamedTuple):
    """`stanzas` are (by, id) of the messages that it is about."""

    jid: str
    reason: str
    text: str
    stanzas: tuple[tuple[str, str], ...]


class Reports:
    """The last hour's, by account."""

    def __init__(self) -> None:
        self._throttle: Throttle | None = None

    def throttle(self, host: Host) -> Throttle:
        if self._throttle is None:
            self._throttle = Throttle(host.settings.limits.reports_per_hour, _HOUR)
        return self._throttle


def reports(items: Sequence[Tree]) -> list[Report]:
    """The reports in items of a block; BadRequest for one without a reason."""
    found = []
    for item in items:
        report = item.find(f"{{{ns.REPORTING}}}report")
        if report is not None:
            found.append(_read(JID.parse(item.get("jid", "")).full, report))
    return found


def _read(jid: str, report: Tree) -> Report:
    reason = report.get("reason", "")[:_MAX_REASON]
    if not reason:
        raise BadRequest("a report needs a reason")
    texts = [text.text or "" for text in report.findall(f"{{{ns.REPORTING}}}text")]
    ids = report.findall(f"{{{ns.STANZA_ID}}}stanza-id")[:_MAX_STANZAS]
    stanzas = tuple((one.get("by", ""), one.get("id", "")) for one in ids)
    return Report(jid, reason, "\n".join(texts).strip()[:_MAX_TEXT], stanzas)


def forward(host: Host, account: Account, found: Sequence[Report]) -> None:
    """Keep it, and tell every administrator; what is beyond the limit is only blocked."""
    throttle = host.state(Reports).throttle(host)
    for report in found:
        if throttle.exceeded(account.local):
            return
        throttle.note(account.local)
        host.store.abuse_reports.add(
            account.local, host.clock(), report.jid, report.reason, report.text
        ).wait()
        reporter = f"{account.local}@{host.domain}"
        parts = (_body(reporter, report), _payload(report))
        for local in host.store.accounts.admins():
            to = f"{local}@{host.domain}"
            message = stanza(
                "message", *parts, from_=host.domain, to=to, type="normal", id=token(64)
            )
            route(host, message)


def _body(reporter: str, report: Report) -> Child:
    reason = report.reason.removeprefix(_REASON)
    lines = [f"{reporter} reports {report.jid} for {reason}."]
    lines += [report.text] if report.text else []
    lines += [f"Message: {id} (by {by})" for by, id in report.stanzas]
    return Child(ns.CLIENT, "body", el("body", "\n".join(lines)))


def _payload(report: Report) -> Child:
    ids = [el("stanza-id", xmlns=ns.STANZA_ID, by=by, id=id) for by, id in report.stanzas]
    text = el("text", report.text) if report.text else None
    inner = el("report", *ids, text, xmlns=ns.REPORTING, reason=report.reason)
    return child(ns.BLOCKING, "block", el("item", inner, jid=report.jid))
