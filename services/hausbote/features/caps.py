"""The server's own capabilities in its stream features (XEP-0115 §6.3)."""

import base64
import hashlib

from hausbote.core.feature import Feature, Phase, Target
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, el

feature = Feature("caps", xeps={"0115": "1.6.0"}, disco=(ns.CAPS,))

NODE = "https://hausbote.example/"


def verification(host: Host) -> str:
    """The hash over identity and features (§5.1)."""
    category, type, name = host.identity
    others = [f"{category}/{type}//" for category, type in host.registry.identities(Target.HOST)]
    parts = [*sorted([f"{category}/{type}//{name}", *others]), *host.registry.disco(Target.HOST)]
    text = "".join(f"{part}<" for part in parts)
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


@feature.stream_feature(Phase.BEFORE_LOGIN)
@feature.stream_feature(Phase.AFTER_LOGIN)
def announce(host: Host) -> Markup:
    return el("c", xmlns=ns.CAPS, hash="sha-1", node=NODE, ver=verification(host))
