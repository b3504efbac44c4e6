"""The server's own capabilities in its stream features (XEP-0115 §6.3)."""

import base64
import hashlib

from hausbote.core.feature import Feature, Phase, Target
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm
from hausbote.xmpp.xml import Markup, el

feature = Feature("caps", xeps={"0115": "1.6.0"}, disco=(ns.CAPS,))

NODE = "https://hausbote.example/"


def disco_forms(host: Host) -> list[DataForm]:
    """The forms of disco#info (XEP-0128)."""
    made = [make(host) for make in host.registry.disco_forms]
    return [form for form in made if form is not None]


def verification(host: Host) -> str:
    """The hash over identity, features and forms (§5.1)."""
    category, type, name = host.identity
    others = [f"{category}/{type}//" for category, type in host.registry.identities(Target.HOST)]
    parts = [*sorted([f"{category}/{type}//{name}", *others]), *host.registry.disco(Target.HOST)]
    for form in sorted(disco_forms(host), key=lambda form: form.form_type):
        parts += form.verified()
    text = "".join(f"{part}<" for part in parts)
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


@feature.stream_feature(Phase.BEFORE_LOGIN)
@feature.stream_feature(Phase.AFTER_LOGIN)
def announce(host: Host) -> Markup:
    return el("c", xmlns=ns.CAPS, hash="sha-1", node=NODE, ver=verification(host))
