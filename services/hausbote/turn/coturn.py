"""turnserver.conf: coturn as this box wants it, made of the settings."""

import ipaddress
from collections.abc import Iterator, Sequence

from hausbote.base.front import relay_port
from hausbote.base.networks import NOT_THE_INTERNET, Address, Network, is_public
from hausbote.base.settings import Settings
from hausbote.turn.place import Place

_HEAD = """\
# The relay for calls, made from hausbote.toml: changes belong there.
# docs/calls.md says what it does and which ports it needs.
"""
_FRONT = ipaddress.IPv4Address("127.0.0.1")  # the front comes from this machine


def configuration(settings: Settings, place: Place, secrets: Sequence[str] = ()) -> str:
    """The file; with `secrets` it has them itself and needs no database."""
    lines = [
        *_addresses(settings, place),
        *_login(settings, secrets),
        *_tls(settings),
        *_limits(settings),
        *_peers(settings, place),
        *_no(),
        *_housekeeping(settings),
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _addresses(settings: Settings, place: Place) -> Iterator[str]:
    relay, ports = settings.relay, settings.ports
    if ports.relay:
        yield f"listening-port={ports.relay}"
    else:
        yield from ("no-udp", "no-tcp")
    for address in place.addresses:
        if ports.relay or ports.relay_tls:
            yield f"listening-ip={address}"
        yield f"relay-ip={address}"
        if address.version == 4 and place.external is not None:
            yield f"external-ip={place.external}/{address}"
    if relay_port(settings) and _FRONT not in place.addresses:
        yield f"listening-ip={_FRONT}"
    yield f"min-port={relay.first_port}"
    yield f"max-port={relay.last_port}"


def _login(settings: Settings, secrets: Sequence[str]) -> Iterator[str]:
    yield f"realm={settings.ascii_domain}"
    yield f"server-name={settings.ascii_domain}"
    yield "use-auth-secret"
    yield from (f"static-auth-secret={secret}" for secret in secrets)
    if not secrets:
        yield f"userdb={settings.relay_secrets}"
    yield "stale-nonce=600"
    yield "fingerprint"


def _tls(settings: Settings) -> Iterator[str]:
    yield "no-dtls"
    port = settings.ports.relay_tls or relay_port(settings)
    if not port:
        yield "no-tls"
        return
    yield f"tls-listening-port={port}"
    yield f"cert={settings.path(settings.tls.certificate)}"
    yield f"pkey={settings.path(settings.tls.key)}"
    yield from ("no-tlsv1", "no-tlsv1_1")


def _limits(settings: Settings) -> Iterator[str]:
    relay = settings.relay
    for key, value in (
        ("total-quota", relay.connections),
        ("user-quota", relay.connections_per_account),
        ("max-bps", relay.bytes_per_second),
        ("bps-capacity", relay.total_bytes_per_second),
    ):
        if value:
            yield f"{key}={value}"


def _peers(settings: Settings, place: Place) -> Iterator[str]:
    """Whom calls may reach: nobody on this side of the internet.

    But the relay itself: two people may each need it, and then it talks to itself.  coturn asks for
    what is allowed before it asks for what is denied; an address behind NAT, for which it has an
    external one, it allows by itself.
    """
    wanted = [ipaddress.ip_network(text) for text in settings.relay.denied]
    for network in [*NOT_THE_INTERNET, *place.networks, *wanted]:
        yield f"denied-peer-ip={_first(network)}-{network[-1]}"
    own = [one for one in place.addresses if is_public(one)]
    yield from (f"allowed-peer-ip={one}" for one in own)


def _first(network: Network) -> Address:
    """Where its range begins: coturn takes a range that begins at :: for one of all addresses, and
    refuses :: and 0.0.0.0 itself in any case."""
    return network[0] if int(network[0]) else network[1]


def _no() -> tuple[str, ...]:
    """What coturn can do and shall not: other ways to use it, and answers longer than questions."""
    return (
        "no-tcp-relay",
        "no-multicast-peers",
        "no-cli",
        "no-rfc5780",
        "no-stun-backward-compatibility",
        "response-origin-only-with-rfc5780",
        "no-software-attribute",
    )


def _housekeeping(settings: Settings) -> tuple[str, ...]:
    """Its log would name the addresses of everybody who calls."""
    return (
        "log-file=/dev/null",
        "no-stdout-log",
        "simple-log",
        f"pidfile={settings.relay_pid}",
    )
