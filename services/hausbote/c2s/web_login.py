"""Logging in by a token that the portal has made for a page of its own (RFC 7628).

Whoever is logged in to the portal gets into the chat without their password: the portal makes a
token for its page, once, and the page shows it here.  It is offered only where such a page comes
by.  The session is the browser's, which is among the clients of the account (XEP-0494): revoking
it ends both.
"""

from typing import TYPE_CHECKING, Final

from hausbote.base.settings import Settings
from hausbote.base.ways import WEB, Way
from hausbote.core.host import Host
from hausbote.features.clients import Agent
from hausbote.storage import StorageError, WebLogin
from hausbote.xmpp.sasl import BEARER, BearerServer, SaslError

if TYPE_CHECKING:
    from hausbote.c2s.login import Login

_NONE: Final[tuple[str, ...]] = ()


def offered(settings: Settings, way: Way) -> tuple[str, ...]:
    """The mechanism, to pages of the box and nobody else."""
    return (BEARER,) if way == WEB and settings.has_web_chat else _NONE


def exchange(host: Host) -> BearerServer:
    """Another login; a token is used up when it is shown, whatever becomes of the login then."""

    def lookup(token: str) -> WebLogin | None:
        try:
            return host.store.web_logins.use(token, host.surely())
        except StorageError:
            # A token that could be used again would not be one for one use.
            raise SaslError("temporary-auth-failure", "this cannot be written down now") from None

    return BearerServer(lookup, host.domain)


def take_for_page(host: Host, login: "Login", agent: str) -> None:
    """The login is that of a page in this browser, one of several perhaps; SaslError if its access
    has just ended."""
    client = host.store.clients.get(login.local, agent)
    if client is None:
        raise SaslError("not-authorized")
    login.agent = Agent(agent, client.software, client.device)
    host.store.clients.seen(login.local, agent, int(host.clock()))
