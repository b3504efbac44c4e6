"""What one connection, address, account or room may use."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


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
