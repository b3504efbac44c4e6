"""The sections of a box's settings.

Every field carries its own documentation; the checks, docs/settings.md and the file that `init`
writes all come from these fields.
"""

import re
import typing
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, is_dataclass
from datetime import date
from typing import Any


def setting(default: Any, doc: str, *, choices: tuple[str, ...] = (), minimum: int = 0) -> Any:
    """A field with its documentation; MISSING as default makes it required."""
    metadata = {"doc": doc, "choices": choices, "minimum": minimum}
    return field(default=default, metadata=metadata)


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
class Upload:
    """Files that people share: they upload one and send its address."""

    url: str = setting(
        "", "Where clients reach ports.upload: https://NAME[:PORT]. Default: names.upload and it."
    )
    file_bytes: int = setting(
        104_857_616, "Size of one file. The default is 100 MiB and what encryption adds.", minimum=1
    )
    account_bytes: int = setting(
        1_073_741_824, "Size of all files of one account together. 0 = no limit."
    )
    when_full: str = setting(
        "oldest-go",
        "What happens when an account has that much: its oldest files make room, or it must wait.",
        choices=("oldest-go", "refuse"),
    )
    day_bytes: int = setting(
        1_073_741_824, "What one account may upload on one day (UTC). 0 = no limit."
    )
    slots: int = setting(
        100, "Uploads of one account that are announced and have not come yet.", minimum=1
    )
    slot_seconds: int = setting(
        300, "Seconds within which an announced upload must begin.", minimum=1
    )
    total_bytes: int = setting(0, "Size of all files of the box together. 0 = no limit.")
    free_bytes: int = setting(
        536_870_912, "What uploads leave free on the disk. 0 = they may fill it."
    )


@dataclass(frozen=True)
class Disk:
    """The disk on which the box keeps everything."""

    reserve_bytes: int = setting(
        67_108_864,
        "What stays free: below, the box refuses what it would have to keep, such as messages, "
        "while people read, delete and leave. 0 = the disk may be filled.",
    )


@dataclass(frozen=True)
class Health:
    """What the box is kept on: it looks every hour, and tells administrators what is wrong."""

    smartctl: str = setting(
        "smartctl",
        "How the program is called that asks disks, if only some may: sudo -n smartctl, say. "
        "Empty = it is not.",
    )
    database_days: int = setting(
        7, "Days between two looks at all of the database. 0 = there are none."
    )
    files_days: int = setting(
        30, "Days between two looks at all uploaded files. 0 = there are none."
    )


@dataclass(frozen=True)
class Backup:
    """Backups, made with restic and encrypted; see docs/backup.md."""

    repository: str = setting(
        "",
        "Where they go, as restic names it: a directory of another disk, "
        "sftp:USER@HOST:/DIRECTORY, rest:https://HOST/ or another. Empty = there are none.",
    )
    hours: int = setting(24, "Hours between two that the box makes by itself. 0 = it makes none.")
    keep_daily: int = setting(7, "Days of which the last backup is kept.")
    keep_weekly: int = setting(5, "Weeks of which the last backup is kept.")
    keep_monthly: int = setting(12, "Months of which the last backup is kept.")
    alarm_days: int = setting(
        3, "Days without a good backup after which administrators are told. 0 = they are not."
    )


@dataclass(frozen=True)
class Proxy:
    """Files that go from one client to another at once, through ports.proxy (XEP-0065)."""

    host: str = setting("", "Name or IP address where clients reach it. Default: names.proxy")
    stream_bytes: int = setting(1_073_741_824, "Bytes of one transfer. 0 = no limit.")
    stream_seconds: int = setting(3_600, "Seconds that one transfer may take. 0 = no limit.")
    idle_seconds: int = setting(60, "Seconds in which a transfer must get on.", minimum=1)
    streams_per_account: int = setting(5, "Transfers of one account at the same time.", minimum=1)


@dataclass(frozen=True)
class Tls:
    """Certificates. Paths are relative to the state directory."""

    certificate: str = setting("certs/box.pem", "The certificate chain, PEM, own first.")
    key: str = setting("certs/box.key", "Its private key, PEM.")
    trust: tuple[str, ...] = setting((), "Files with further CAs that are trusted, PEM.")
    authorities: str = setting(
        "/etc/ssl/certs/ca-certificates.crt",
        "File with the CAs that the system trusts, PEM. Empty = only those of tls.trust.",
    )
    revoked: tuple[str, ...] = setting((), "Files with lists of revoked certificates, PEM or DER.")


@dataclass(frozen=True)
class Certificates:
    """A certificate that everybody trusts, by ACME: asked for and renewed by the box itself."""

    acme: str = setting(
        "no",
        "Does the box get its certificate like that? Yes is also your consent to the authority's "
        "terms of service.",
        choices=("no", "yes"),
    )
    server: str = setting(
        "", "Address of the authority's ACME directory, https://... Default: Let's Encrypt's."
    )
    staging: str = setting(
        "no",
        "Is it a rehearsal? Then the default is Let's Encrypt's staging server, whose certificates "
        "nobody trusts: all is tried, and the box keeps the certificate that it has.",
        choices=("no", "yes"),
    )
    challenge: str = setting(
        "http-01",
        "How the box proves that its names are its own: at port 80 (ports.http), or in DNS by the "
        "programs in certificates.hooks.",
        choices=("http-01", "dns-01"),
    )
    address: str = setting("", "IP address where ports.http is opened. Default: all of them.")
    hooks: str = setting(
        "acme-hooks", "Folder with the programs auth and cleanup for dns-01; relative, too."
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


@dataclass(frozen=True)
class Limits:
    """What one connection, address or account may use; 0 = no limit."""

    bytes_per_second: int = setting(262_144, "Bytes per second that a connection may send.")
    burst_bytes: int = setting(1_048_576, "Bytes that a connection may send at once.")
    stanza_bytes: int = setting(
        262_144, "Size of the largest stanza. RFC 6120 wants at least 10000.", minimum=10_000
    )
    idle_seconds: int = setting(300, "Seconds of silence until we look whether a client is alive.")
    sessions_per_account: int = setting(10, "Clients of one account at the same time.")
    connections_per_address: int = setting(
        100,
        "Connections of one address at the same time, for IPv6 of a /64; a /48 has four times as "
        "many.",
    )
    connections: int = setting(
        20_000,
        "Connections of one service at the same time; when there are as many, the oldest without "
        "a login goes, of the address that has most of these.",
    )
    login_attempts: int = setting(
        10,
        "Failed logins in five minutes of one address with one account, until it must wait. Who "
        "never logged in to an account before fails with it twice as often at most, all together.",
    )
    relay_credentials_per_hour: int = setting(
        60, "How often one account gets credentials for the relay, per hour."
    )
    registrations_per_hour: int = setting(
        5, "New accounts per hour and address; an address may try four times as often."
    )
    invitations: int = setting(
        50, "Invitations of one account that have not expired, used ones among them."
    )
    clients_per_account: int = setting(
        50, "Clients that are remembered for one account; beyond that the oldest is forgotten."
    )
    roster_items: int = setting(1_000, "Contacts of one account.")
    offline_messages: int = setting(1_000, "Messages that wait for one account.")
    offline_bytes: int = setting(16_777_216, "Size of the messages that wait for one account.")
    kept_bytes_per_hour: int = setting(
        67_108_864,
        "Size of the messages of one account that the box keeps within an hour, in archives, rooms "
        "or until somebody comes; all people of another server have as much together.",
    )
    unacknowledged_bytes: int = setting(
        4_194_304, "Bytes that wait until a client says that it has them; beyond, its session ends."
    )
    blocked: int = setting(1_000, "Addresses that one account blocks.")
    reports_per_hour: int = setting(10, "Reports of spam and abuse per hour and account.")
    push_services: int = setting(10, "Devices of one account that are told by push.")
    pubsub_nodes: int = setting(500, "Nodes of one account: kinds of things it publishes.")
    pubsub_items: int = setting(2_000, "Items of one node; what clients get who ask for max.")
    pubsub_item_bytes: int = setting(262_144, "Size of one item.")
    pubsub_bytes: int = setting(33_554_432, "Size of all items of one account together.")
    pubsub_subscriptions: int = setting(1_000, "Subscriptions to one node, and affiliations.")
    private_entries: int = setting(100, "Pieces of private XML of one account.")
    private_bytes: int = setting(1_048_576, "Size of all private XML of one account together.")
    held_stanzas: int = setting(
        1_000, "Stanzas that wait for a client which nobody looks at, until all are sent."
    )
    held_bytes: int = setting(262_144, "Size of these together.")
    archive_messages: int = setting(
        1_000_000, "Messages in the archive of one account; beyond that the oldest are deleted."
    )
    archive_bytes: int = setting(
        536_870_912,
        "Size of the messages in the archive of one account; beyond that the oldest are deleted.",
    )
    archive_preferences: int = setting(
        1_000, "Addresses for which one account says whether their messages are archived."
    )
    vcard_bytes: int = setting(131_072, "Size of one vCard, without its photo.")
    rooms_per_account: int = setting(50, "Rooms that one account may have made.")
    room_occupants: int = setting(5_000, "People in one room at the same time.")
    room_affiliations: int = setting(10_000, "Members, admins, owners and banned people of a room.")
    room_bytes: int = setting(
        134_217_728,
        "Size of the messages in the archive of one room; beyond that the oldest are deleted.",
    )
    room_nick: int = setting(64, "Characters of a nick.")
    room_presence_bytes: int = setting(16_384, "Size of presence that a room passes on.")
    room_joins_per_minute: int = setting(
        600,
        "Rooms that one person enters within a minute; all people of another server together enter "
        "ten times as many.",
    )
    room_changes_per_minute: int = setting(
        60, "Presence and new nicks that one person sends to one room within a minute."
    )
    room_vcard_bytes: int = setting(131_072, "Size of a room's vCard, with its picture.")


@dataclass(frozen=True)
class Resumption:
    """Clients whose connection broke come back to their session, and nothing is lost."""

    seconds: int = setting(600, "Seconds that a session waits for its client. 0 = it does not.")
    location: str = setting("", "HOST:PORT where clients come back first. Default: as always.")


@dataclass(frozen=True)
class Contact:
    """Whom people may turn to, as addresses like mailto:me@example.org or xmpp:me@example.org."""

    abuse: tuple[str, ...] = setting((), "Reports of spam and abuse.")
    admin: tuple[str, ...] = setting((), "The administrators.")
    feedback: tuple[str, ...] = setting((), "Praise and wishes.")
    sales: tuple[str, ...] = setting((), "Offers.")
    security: tuple[str, ...] = setting((), "Reports of security problems.")
    status: tuple[str, ...] = setting((), "Pages that tell whether the service works.")
    support: tuple[str, ...] = setting((), "Help.")


@dataclass(frozen=True)
class Push:
    """Notifications for phones that sleep, by way of their makers' push services."""

    summary: str = setting(
        "none",
        "What a notification tells the push service: nothing, or also that it is a message, "
        "who sent it, or even what it says.",
        choices=("none", "count", "sender", "body"),
    )


@dataclass(frozen=True)
class ClientState:
    """What waits for a client that says that nobody looks at it, until something else comes."""

    presence: str = setting("hold", "Presence.", choices=("hold", "send"))
    chat_states: str = setting("hold", "That somebody types.", choices=("hold", "send"))
    events: str = setting(
        "hold", "That somebody changed their picture, name or mood.", choices=("hold", "send")
    )


@dataclass(frozen=True)
class Components:
    """Other programs that attach to the box at ports.component, such as bridges."""

    address: str = setting("127.0.0.1", "IP address to listen on; the protocol has no encryption.")
    secrets: tuple[str, ...] = setting(
        (), "DOMAIN=SECRET of each, or DOMAIN=file:PATH, relative to the state directory."
    )

    @property
    def by_domain(self) -> dict[str, str]:
        """What stands behind each domain: its secret, or file:PATH."""
        pairs = [entry.partition("=") for entry in self.secrets]
        return {domain.strip(): secret.strip() for domain, _, secret in pairs}


@dataclass(frozen=True)
class Federation:
    """Other servers. A domain in a list stands for the names below it, too; the longest counts."""

    enabled: str = setting("yes", "Does the box talk with other servers?", choices=("yes", "no"))
    only_allowed: str = setting("no", "Only with those in `allow`?", choices=("no", "yes"))
    allow: tuple[str, ...] = setting(
        (), "Domains to talk with, even if a name above is denied, or in a private network."
    )
    deny: tuple[str, ...] = setting((), "Domains not to talk with.")
    pins: tuple[str, ...] = setting(
        (),
        "DOMAIN=FINGERPRINT YEAR-MONTH-DAY: until the end of that day the certificate with this "
        "SHA-256 fingerprint is right for the domain, whoever signed it, and no other is.",
    )
    dialback: tuple[str, ...] = setting(
        (),
        "Domains that need no certificate: DNS decides instead. TLS is needed all the same.",
    )
    queue_days: int = setting(
        3, "Days that messages wait for a server that cannot be reached. 0 = none wait."
    )
    queue_messages: int = setting(5_000, "Messages that wait for one server. 0 = no limit.")
    queue_bytes: int = setting(33_554_432, "Size of all that waits for one server. 0 = no limit.")

    @property
    def pins_by_domain(self) -> dict[str, list[tuple[str, date]]]:
        """(SHA-256 fingerprint, last day) of each domain's certificates."""
        found: dict[str, list[tuple[str, date]]] = {}
        for entry in self.pins:
            domain, fingerprint, last_day = parse_pin(entry)
            found.setdefault(domain, []).append((fingerprint, last_day))
        return found


@dataclass(frozen=True)
class Policy:
    """What the box tells of its ways with data, besides what it knows itself."""

    terms: str = setting("", "Address of the terms of service.")
    disk_encrypted: str = setting("no", "Is the disk encrypted?", choices=("no", "yes"))
    access: tuple[str, ...] = setting(
        ("admins",),
        "Who can get at people's data: admins, moderators, organization_member, government, "
        "advertisers, partners, or none alone.",
    )
    backup_hours: int = setting(
        0, "Hours between backups, if they are made otherwise than by the section backup. 0 = no."
    )
    backup_days: int = setting(0, "Days that backups are kept. 0 = for ever, if there are any.")
    extra: str = setting("", "What else people should know.")


@dataclass(frozen=True)
class Retention:
    """How long things are kept."""

    archive_days: int = setting(30, "Messages in the archive, in days. 0 = for ever.")
    uploads_days: int = setting(30, "Uploaded files, in days. 0 = for ever.")
    tokens_days: int = setting(
        30,
        "Tokens with which clients log in again without a password, in days. 0 = none are given.",
    )
    clients_days: int = setting(
        90, "Which clients have logged in to an account, in days since then. 0 = for ever."
    )
    names_days: int = setting(
        90,
        "Days until the name of a deleted account can be registered from a client; the owner can "
        "give it away sooner. 0 = at once.",
    )


@dataclass(frozen=True)
class Invitations:
    """Links with which people become contacts, or get an account."""

    by: str = setting(
        "administrators",
        "Who may invite others to an account here; with `registration` closed nobody can use that. "
        "Everybody may invite others to be their contacts.",
        choices=("administrators", "members"),
    )
    days: int = setting(7, "Days until an invitation made from a client expires.", minimum=1)


@dataclass(frozen=True)
class Archive:
    """The archive: what people wrote and what was written to them, for all their clients."""

    enabled: str = setting(
        "yes",
        "Is there one? With no, what is in it already can be read no more, and grows old.",
        choices=("yes", "no"),
    )
    page: int = setting(
        100,
        "Messages that a client gets at once at most, of its own archive or a room's; it asks "
        "again for more. 0 = no number, but a megabyte at a time.",
        minimum=10,
    )


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


@dataclass(frozen=True)
class PubsubService:
    """The publish-subscribe service of the box; what people publish of themselves is not there."""

    node_creation: str = setting(
        "admins",
        "Who may make nodes there: the box's administrators, or all of its people.",
        choices=("admins", "users"),
    )


@dataclass(frozen=True)
class Rooms:
    """Group chat."""

    creation: str = setting(
        "users",
        "Who may make rooms from a client: the box's people, its administrators, people of other "
        "servers too, nobody.",
        choices=("users", "admins", "everybody", "nobody"),
    )
    default: str = setting(
        "open",
        "What a room is whose maker does not say: a private group for members, a public channel, "
        "or open to whoever knows its name while somebody is in it.",
        choices=("group", "channel", "open"),
    )
    directory: str = setting(
        "users",
        "Who may look which public rooms there are: the box's people, or people everywhere.",
        choices=("users", "everybody"),
    )
    destroyed_days: int = setting(
        90,
        "Days that only its owners may make a destroyed room anew; others hear that it is gone. "
        "0 = whoever comes first.",
    )


@dataclass(frozen=True)
class Log:
    """The log, in the state directory under log/."""

    level: str = setting(
        "info",
        "The least that is written. No level writes addresses of people or what they say.",
        choices=("debug", "info", "warning", "error"),
    )


def documented(cls: type, prefix: str = "") -> Iterator[tuple[str, Field[Any]]]:
    """Every setting as ("section.key", field), in their order."""
    for option in fields(cls):
        if "internal" in option.metadata:
            continue
        if is_dataclass(option.type):
            yield from documented(typing.cast(type, option.type), f"{option.name}.")
        else:
            yield prefix + option.name, option


def parse_pin(entry: str) -> tuple[str, str, date]:
    """(domain, fingerprint in lower-case hexadecimal, last day); ValueError if it is no pin."""
    domain, _, rest = entry.partition("=")
    fingerprint, _, last_day = rest.strip().partition(" ")
    fingerprint = fingerprint.replace(":", "").lower()
    if not re.fullmatch("[0-9a-f]{64}", fingerprint):
        raise ValueError("has no SHA-256 fingerprint, which are 64 hexadecimal digits")
    try:
        return domain.strip(), fingerprint, date.fromisoformat(last_day.strip())
    except ValueError:
        raise ValueError("does not end in a date like 2030-12-31") from None
