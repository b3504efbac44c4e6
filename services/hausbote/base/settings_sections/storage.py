"""What the box keeps: the disk, its backups, and for how long."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


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
    events_days: int = setting(
        90,
        "What happened to an account (devices that logged in, failed logins by the day, passwords, "
        "locks), for who has it, in days. 0 = for ever.",
    )
    leaving_days: int = setting(
        7,
        "Days until an account is deleted whose owner wants that in the portal; until then it is "
        "locked, and logging in to the portal keeps it. 0 = at once.",
    )
    names_days: int = setting(
        90,
        "Days until the name of a deleted account can be registered from a client; the owner can "
        "give it away sooner. 0 = at once.",
    )


@dataclass(frozen=True)
class Log:
    """The log, in the state directory under log/."""

    level: str = setting(
        "info",
        "The least that is written. No level writes addresses of people or what they say.",
        choices=("debug", "info", "warning", "error"),
    )
