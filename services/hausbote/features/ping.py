"""Are you there? (XEP-0199)"""

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns

feature = Feature("ping", xeps={"0199": "2.0.1"}, disco=(ns.PING,), account_disco=(ns.PING,))


@feature.iq("get", ns.PING, "ping", Target.HOST, Target.ACCOUNT)
def pong(_request: Request) -> None:
    """An empty result."""
