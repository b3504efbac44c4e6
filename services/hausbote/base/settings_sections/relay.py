"""The relay for calls."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


@dataclass(frozen=True)
class Relay:
    """The relay for calls, coturn: it carries voice and video where two networks do not meet."""

    run: str = setting(
        "here",
        "Does `hausbote run` start it, does it run elsewhere with what `hausbote relay config` "
        "prints, or is there none?",
        choices=("here", "elsewhere", "off"),
    )
    host: str = setting(
        "",
        "Name or IP address by which clients reach it. Default: DOMAIN, or relay.DOMAIN with a "
        "front.",
    )
    address: str = setting("", "IP address to listen on. Default: `address`")
    external: str = setting(
        "dns",
        "The IPv4 address that the internet sees if the box is behind NAT; dns = the one that DNS "
        "knows for `relay.host`; empty = the box has its own.",
    )
    first_port: int = setting(
        49_160, "The first of the UDP ports that calls go through.", minimum=1_024
    )
    last_port: int = setting(49_259, "The last of these.", minimum=1_024)
    denied: tuple[str, ...] = setting(
        (),
        "Networks like 203.0.113.0/24 that calls must not reach, besides all that are not the "
        "internet and those that the box is in.",
    )
    connections: int = setting(100, "Relayed connections at the same time.")
    connections_per_account: int = setting(
        20, "Relayed connections of one account at the same time; a call takes a few."
    )
    bytes_per_second: int = setting(375_000, "Bytes per second and direction of one of them.")
    total_bytes_per_second: int = setting(
        37_500_000, "Bytes per second of all; a connection has its share reserved, used or not."
    )
    credential_seconds: int = setting(
        3_600, "Seconds that credentials are good for, an hour at most.", minimum=60
    )
    secret_days: int = setting(30, "Days until the secret behind them is changed. 0 = never.")
