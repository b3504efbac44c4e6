"""How much of its life an eMMC has used, which it tells the kernel (JESD84-B51 §7.4.40 to §7.4.42).

Anybody may read it.  SD cards tell nothing of the kind.
"""

import re
from pathlib import Path
from typing import Final

from hausbote.base.troubles import Trouble
from hausbote.health.disks import Disk
from hausbote.health.part import Part

_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,2}")
_NEARLY: Final = 0x0A  # 90 to 100 % are used
_EXCEEDED: Final = 0x0B
_SPARE: Final = {
    2: "has used 80 % of its spare blocks",
    3: "has used 90 % of its spare blocks, and may soon take nothing more",
}


def look_at_flash(disk: Disk) -> Part | None:
    """None if the disk tells nothing like that."""
    life = max(_numbers(disk.place / "device" / "life_time"), default=0)
    spare = max(_numbers(disk.place / "device" / "pre_eol_info"), default=0)
    if not life and not spare:
        return None
    troubles = []
    if life >= _NEARLY:
        used = "all" if life >= _EXCEEDED else "90 to 100 %"
        troubles.append(_trouble(disk, "life", life - _NEARLY + 1, f"has used {used} of its life"))
    if spare in _SPARE:
        troubles.append(_trouble(disk, "spare", spare - 1, _SPARE[spare]))
    told = f"at most {10 * life} % of its life are used" if life else "it has spare blocks"
    return Part(f"disk {disk.name}", told, tuple(troubles))


def _trouble(disk: Disk, kind: str, level: int, what: str) -> Trouble:
    return Trouble(
        f"flash:{disk.name}:{kind}",
        level,
        f"The disk {disk.name} {what}: see to it that there are backups, and replace it.",
        f"The disk {disk.name} has enough of its life left.",
    )


def _numbers(file: Path) -> list[int]:
    """Of up to two kinds of memory; 0 is one that is not told."""
    try:
        return [int(one, 16) for one in _HEX.findall(file.read_text("ascii"))]
    except (OSError, UnicodeDecodeError):
        return []
