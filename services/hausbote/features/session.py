"""The session of RFC 3921, which old clients ask for; nothing happens.  Nor can one bind twice."""

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.errors import NotAllowed, ServiceUnavailable

feature = Feature("session")


@feature.iq("set", ns.SESSION, "session", Target.HOST, Target.ACCOUNT)
def establish(request: Request) -> None:
    """It is there already."""
    if request.to.local and not request.own:
        raise ServiceUnavailable


@feature.iq("set", ns.BIND, "bind", Target.HOST, Target.ACCOUNT)
def bind_again(request: Request) -> None:
    if request.to.local and not request.own:
        raise ServiceUnavailable
    raise NotAllowed("this stream has its resource")
