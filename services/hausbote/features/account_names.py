"""Which names an account may not have unless the owner of the box makes it.

Every way in which strangers make accounts asks here.
"""

from collections.abc import Iterable
from typing import Final

from hausbote.base.lookalikes import skeleton
from hausbote.base.settings import Settings

# Whoever has one of these is taken for the owner of the box or for the box itself: mailboxes of
# RFC 2142 and those by which certificates are ordered, offices, and words of the protocol.
_RESERVED: Final = """
    info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www
    uucp ftp
    admin administrator administrators admins sysadmin ssladmin root system operator owner staff
    team moderator moderators help helpdesk mailer-daemon noreply no-reply nobody everybody
    everyone all anonymous guest official privacy legal billing contact account accounts
    xmpp jabber server service services bot daemon localhost muc conference chat
    hausbote rooms upload proxy pubsub turn stun relay portal s2s c2s component
""".split()  # noqa: SIM905 - a list of as many lines as words is harder to read


def reserved(settings: Settings) -> frozenset[str]:
    """The words that are reserved in a box, and the names of its services."""
    domains = (settings.domain, *vars(settings.names).values())
    labels = (domain.partition(".")[0] for domain in domains)
    return frozenset((*_RESERVED, *domains, *labels))


def taken_for(name: str, others: Iterable[str]) -> str | None:
    """Which of the others a name looks like, if it is not that itself."""
    wanted = skeleton(name)
    return next((one for one in others if one != name and skeleton(one) == wanted), None)


def doubts(settings: Settings, name: str, accounts: Iterable[str]) -> str | None:
    """A sentence for the owner who gives an account that name; None if nothing is odd with it."""
    if name in reserved(settings):
        return f"{name} will be taken for an office of this server."
    other = taken_for(name, (*reserved(settings), *accounts))
    return f"{name} looks like {other}: people will take one for the other." if other else None
