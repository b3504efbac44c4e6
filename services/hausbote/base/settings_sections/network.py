"""Names, ports and the front, and how names are resolved."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


@dataclass(frozen=True)
class Names:
    """The names under which the box's services answer; empty = a name below the domain."""

    rooms: str = setting("", "Group chat. Default: rooms.DOMAIN")
    upload: str = setting("", "File upload. Default: upload.DOMAIN")
    proxy: str = setting("", "File proxy. Default: proxy.DOMAIN")
    pubsub: str = setting("", "Publish-subscribe. Default: pubsub.DOMAIN")


@dataclass(frozen=True)
class Ports:
    """TCP ports; 0 = off. Each service reads its own."""

    c2s: int = setting(5222, "Clients, with STARTTLS.")
    c2s_tls: int = setting(5223, "Clients, with TLS from the first byte.")
    s2s: int = setting(5269, "Other servers, with STARTTLS.")
    s2s_tls: int = setting(5270, "Other servers, with TLS from the first byte.")
    web: int = setting(5281, "WebSocket and BOSH, with TLS.")
    upload: int = setting(5443, "File upload, with TLS.")
    portal: int = setting(8443, "The portal, with TLS.")
    portal_http: int = setting(8080, "The portal's redirect to TLS.")
    proxy: int = setting(5000, "The file proxy.")
    component: int = setting(0, "Components; only on components.address.")
    relay: int = setting(3478, "The relay for calls, UDP and TCP.")
    relay_tls: int = setting(5349, "The relay for calls, with TLS.")
    https: int = setting(443, "Everything, with TLS, if there is a front.")
    http: int = setting(
        80,
        "Proofs for certificates (http-01), and the front's redirect to ports.https; the "
        "internet's port 80 leads here.",
    )


@dataclass(frozen=True)
class Front:
    """The front, HAProxy: it leads what comes to ports.https to the service that it is for."""

    run: str = setting(
        "no",
        "Is there one? Then it has all of the box's TCP ports but the relay's and components'. "
        "Does `hausbote run` start it, or does a HAProxy of your own do what `hausbote front "
        "config` prints?",
        choices=("no", "here", "elsewhere"),
    )
    ports: str = setting(
        "all",
        "Has it all of [ports], or ports.https and ports.http alone? Then the others count as 0.",
        choices=("all", "https"),
    )
    connections: int = setting(
        10_000, "Connections at the same time. A client has one or two.", minimum=10
    )


@dataclass(frozen=True)
class Web:
    """WebSocket and BOSH, and the chat in the browser."""

    chat: str = setting(
        "yes",
        "Has the portal a chat, at /chat? See docs/webchat.md.",
        choices=("yes", "no"),
    )
    url: str = setting(
        "", "Where browsers reach ports.web: https://NAME[:PORT]. Default: DOMAIN and the port."
    )
    origins: tuple[str, ...] = setting(
        (),
        "Web pages that may log in there besides the box's own, like https://chat.example.org. "
        "Empty = any.",
    )


@dataclass(frozen=True)
class Dns:
    """Name resolution."""

    server: str = setting("", "ADDRESS:PORT of the resolver. Default: the system's.")
    trusted: str = setting(
        "no",
        "Does the resolver check DNSSEC, and is the way to it safe? Then DANE counts.",
        choices=("no", "yes"),
    )
    seconds: int = setting(10, "Seconds after which a question that has no answer is given up.")
