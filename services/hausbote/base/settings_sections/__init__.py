"""The sections of a box's settings.

Every field carries its own documentation; the checks, docs/settings.md and the file that `init`
writes all come from these fields.
"""

from hausbote.base.settings_sections.certificates import Certificates, Tls
from hausbote.base.settings_sections.clients import ClientState, Push, Resumption
from hausbote.base.settings_sections.definition import documented, setting
from hausbote.base.settings_sections.federation import Federation, parse_pin
from hausbote.base.settings_sections.files import Proxy, Upload
from hausbote.base.settings_sections.limits import Limits
from hausbote.base.settings_sections.network import Dns, Front, Names, Ports, Web
from hausbote.base.settings_sections.people import Contact, Invitations, Policy
from hausbote.base.settings_sections.relay import Relay
from hausbote.base.settings_sections.services import Components, PubsubService, Rooms
from hausbote.base.settings_sections.storage import Archive, Backup, Disk, Health, Log, Retention

__all__ = [
    "Archive",
    "Backup",
    "Certificates",
    "ClientState",
    "Components",
    "Contact",
    "Disk",
    "Dns",
    "Federation",
    "Front",
    "Health",
    "Invitations",
    "Limits",
    "Log",
    "Names",
    "Policy",
    "Ports",
    "Proxy",
    "PubsubService",
    "Push",
    "Relay",
    "Resumption",
    "Retention",
    "Rooms",
    "Tls",
    "Upload",
    "Web",
    "documented",
    "parse_pin",
    "setting",
]
