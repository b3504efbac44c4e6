"""Files that people send each other."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


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
class Proxy:
    """Files that go from one client to another at once, through ports.proxy (XEP-0065)."""

    host: str = setting("", "Name or IP address where clients reach it. Default: names.proxy")
    stream_bytes: int = setting(1_073_741_824, "Bytes of one transfer. 0 = no limit.")
    stream_seconds: int = setting(3_600, "Seconds that one transfer may take. 0 = no limit.")
    idle_seconds: int = setting(60, "Seconds in which a transfer must get on.", minimum=1)
    streams_per_account: int = setting(5, "Transfers of one account at the same time.", minimum=1)
