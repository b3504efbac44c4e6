"""Are you there? (XEP-0199)"""

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.features.contacts import is_subscribed
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable

feature = Feature("ping", xeps={"0199": "2.0.1"}, disco=(ns.PING,), account_disco=(ns.PING,))


@feature.iq("get", ns.PING, "ping", Target.HOST, Target.ACCOUNT)
def pong(request: Request) -> None:
    """An empty result; strangers do not learn by it whether there is such an account."""
    to, sender = request.to.local, request.sender
    if to and (sender is None or not is_subscribed(request.host, to, sender)):
        raise ServiceUnavailable
