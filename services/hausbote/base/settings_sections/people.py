"""Who may come, whom they may turn to, and what they are told."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


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
