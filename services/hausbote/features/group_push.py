"""Waking members of private groups who are not in the room (XEP-0357, for what XEP-0492 says)."""

from hausbote.base.jid import JID
from hausbote.base.log import bug
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.said import KIND, Said
from hausbote.features import push, room_wishes
from hausbote.features.blocklist import blocks

feature = Feature("push for groups")


@feature.frame(KIND)
def heard(host: Host, frame: Frame) -> None:
    """Something was said in a private group of the box."""
    try:
        said = Said.unpack(frame.payload)
    except ValueError as problem:
        bug(problem)
        return
    sender = JID.parse(said.message.attrs["from"])
    host.state(room_wishes.Private).note(sender.bare)
    speaker = JID.parse(said.speaker)
    for local in push.holders(host) & said.roll.keys():
        own = speaker.local == local and speaker.domain == host.domain
        if not own and not blocks(host, local, sender):
            _wake(host, local, said)


def _wake(host: Host, local: str, said: Said) -> None:
    """Those clients that neither are here nor hear of it as a client that is in the room."""
    account = host.directory.account(local)
    away = []
    for service in push.services(host, account):
        session = account.sessions.get(service.resource)
        asleep = session is None or session.asleep is not None
        if asleep and service.resource not in said.roll[local]:
            away.append(service)
    mentioned = local in said.mentioned
    if away and room_wishes.wanted(host, account, said.message, mentioned=mentioned):
        for service in away:
            push.notify(host, local, service, said.message)
