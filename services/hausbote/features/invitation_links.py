"""The links that an invitation is: an xmpp: URI for clients, and a page for everybody else."""

from typing import NamedTuple
from urllib.parse import quote

from hausbote.base.settings import Settings
from hausbote.storage import Invitation, Kind


class Links(NamedTuple):
    """`uri` opens a client; `url` is a page, "" if the box has none."""

    uri: str
    url: str


def links_of(
    settings: Settings, invitation: Invitation, token: str, *, account: bool = False
) -> Links:
    """Both of them, for what the box allows now (XEP-0401 §5, XEP-0445 §2).

    An invitation to an account or a contact is one to an `account`, if that is said.
    """
    uri = invitation_uri(settings, invitation, token, account=account)
    return Links(uri, invitation_url(settings, token))


def invitation_url(settings: Settings, token: str) -> str:
    """The page of an invitation (XEP-0379 §3.3); "" if the box has no pages."""
    return f"{settings.portal_url}/invite/{token}" if settings.portal_url else ""


def invitation_uri(
    settings: Settings, invitation: Invitation, token: str, *, account: bool = False
) -> str:
    """For clients; that for another password is one for registering that name, as there is none of
    its own."""
    domain = quote(settings.domain)
    account = account or bool(invitation.name or invitation.circles)
    if invitation.for_contact and not account:
        closed = settings.registration == "closed" or invitation.kind is Kind.CONTACT
        registers = "" if closed else ";ibr=y"
        return f"xmpp:{_local(invitation.inviter)}@{domain}?roster;preauth={token}{registers}"
    address = f"{_local(invitation.name)}@{domain}" if invitation.name else domain
    return f"xmpp:{address}?register;preauth={token}"


def _local(text: str) -> str:
    """A local part as a URI has it (RFC 5122 §2.2)."""
    return quote(text, safe="!$*.-_~+")
