"""Which services the relay has, by its settings."""

import shutil
from collections.abc import Iterator
from typing import Final

from hausbote.base.front import relay_port
from hausbote.base.relay import Offer, Question
from hausbote.base.settings import Settings

PROGRAM: Final = "turnserver"  # coturn's


def is_available(settings: Settings) -> bool:
    """Whether there is a relay: one that runs elsewhere, in its container, or that we can start."""
    run = settings.relay.run
    there = settings.is_split or shutil.which(PROGRAM) is not None
    return run == "elsewhere" or (run == "here" and there)


def offers(settings: Settings) -> tuple[Offer, ...]:
    """What it has, without credentials, the best first."""
    return tuple(_offers(settings)) if is_available(settings) else ()


def _offers(settings: Settings) -> Iterator[Offer]:
    host, ports = settings.relay_host, settings.ports
    if ports.relay:
        yield Offer("stun", host, ports.relay, "udp")
        yield Offer("stun", host, ports.relay, "tcp")
        yield Offer("turn", host, ports.relay, "udp")
        yield Offer("turn", host, ports.relay, "tcp")
    if ports.relay_tls:
        yield Offer("turns", host, ports.relay_tls, "tcp")
    if relay_port(settings):
        yield Offer("turns", host, ports.https, "tcp")


def asked_for(question: Question, offer: Offer) -> bool:
    """Whether the question is about that service."""
    return (
        question.type in ("", offer.type)
        and question.host.lower() in ("", offer.host.lower())
        and question.port in (0, offer.port)
        and question.transport in ("", offer.transport)
    )
