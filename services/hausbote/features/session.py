"""The session of RFC 3921: nothing happens, but old clients ask for it."""

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns

feature = Feature("session")


@feature.iq("set", ns.SESSION, "session", Target.HOST, Target.ACCOUNT)
def establish(_request: Request) -> None:
    """It is there already."""
