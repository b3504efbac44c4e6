"""What a stream may carry, told before it is too late (XEP-0478)."""

from hausbote.core.feature import Feature, Phase
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stream import BEFORE_LOGIN, LOGIN_SECONDS
from hausbote.xmpp.xml import Markup, el

feature = Feature("stream limits", xeps={"0478": "0.2.0"})


@feature.stream_feature(Phase.BEFORE_LOGIN)
def before(_host: Host) -> Markup:
    """Little is needed to log in, and little is taken."""
    return limits(BEFORE_LOGIN.stanza, LOGIN_SECONDS)


@feature.stream_feature(Phase.AFTER_LOGIN)
def after(host: Host) -> Markup:
    configured = host.settings.limits
    return limits(configured.stanza_bytes, configured.idle_seconds)


def limits(stanza: int, idle: int) -> Markup:
    """The feature; 0 is no limit, and nothing is said of it."""
    size = el("max-bytes", str(stanza)) if stanza else None
    seconds = el("idle-seconds", str(idle)) if idle else None
    return el("limits", size, seconds, xmlns=ns.STREAM_LIMITS)
