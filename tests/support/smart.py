"""What smartctl 7 writes with --json, of disks that nobody needs to have: a good one, or a dying."""

import json
import stat

_FLAGS = {
    "PO--CK ": (51, True), "-O--CK ": (50, False), "POSR-- ": (15, True), "PO--C- ": (19, True),
    "-O--C- ": (18, False), "----C- ": (16, False),
}  # fmt: skip
HARD_DISK = (
    (1, "Raw_Read_Error_Rate", 79, 63, 44, "POSR-- ", 76_301_240),
    (3, "Spin_Up_Time", 97, 97, 0, "PO--C- ", 0),
    (4, "Start_Stop_Count", 100, 100, 20, "-O--CK ", 312),
    (5, "Reallocated_Sector_Ct", 100, 100, 36, "PO--CK ", 0),
    (9, "Power_On_Hours", 71, 71, 0, "-O--CK ", 25_612),
    (187, "Reported_Uncorrect", 100, 100, 0, "-O--CK ", 0),
    (188, "Command_Timeout", 100, 99, 0, "-O--CK ", 4_295_032_833),
    (194, "Temperature_Celsius", 38, 51, 0, "-O--CK ", 60_129_542_182),
    (197, "Current_Pending_Sector", 100, 100, 0, "-O--C- ", 0),
    (198, "Offline_Uncorrectable", 100, 100, 0, "----C- ", 0),
)
SSD = (
    (5, "Reallocated_Sector_Ct", 100, 100, 10, "PO--CK ", 3),
    (9, "Power_On_Hours", 96, 96, 0, "-O--CK ", 19_040),
    (177, "Wear_Leveling_Count", 98, 98, 0, "PO--C- ", 14),
    (187, "Uncorrectable_Error_Cnt", 100, 100, 0, "-O--CK ", 0),
    (241, "Total_LBAs_Written", 99, 99, 0, "-O--CK ", 10_935_822_505),
)


def _head(device, protocol, kind, exit_status):
    return {
        "json_format_version": [1, 0],
        "smartctl": {
            "version": [7, 3],
            "svn_revision": "5338",
            "platform_info": "aarch64-linux-6.1.0-rpi7-rpi-v8",
            "build_info": "(local build)",
            "argv": ["smartctl", "--json", "-i", "-H", "-A", "-n", "standby", device],
            "exit_status": exit_status,
        },
        "local_time": {"time_t": 1_796_029_855, "asctime": "Mon Nov 30 09:10:55 2026 UTC"},
        "device": {"name": device, "info_name": device, "type": kind, "protocol": protocol},
    }


def ata(rows=HARD_DISK, passed=True, rotation=7200, **raw):
    """`raw` has other raw values, as _197=8, or normalized ones, as value_177=3."""
    table = []
    for id, name, value, worst, thresh, flags, number in rows:
        value, number = raw.get(f"value_{id}", value), raw.get(f"_{id}", number)
        bits, prefailure = _FLAGS[flags]
        table.append(
            {
                "id": id,
                "name": name,
                "value": value,
                "worst": min(value, worst),
                "thresh": thresh,
                "when_failed": "now" if value <= thresh and thresh else "",
                "flags": {"value": bits, "string": flags, "prefailure": prefailure},
                "raw": {"value": number, "string": str(number)},
            }
        )
    model = "ST2000DM008-2FR102" if rotation else "Samsung SSD 860 EVO 500GB"
    return json.dumps(
        _head("/dev/sda", "ATA", "sat", 0 if passed else 24)
        | {
            "model_name": model,
            "serial_number": "ZFL0ABCD",
            "rotation_rate": rotation,
            "user_capacity": {"blocks": 3_907_029_168, "bytes": 2_000_398_934_016},
            "smart_status": {"passed": passed},
            "ata_smart_attributes": {"revision": 10, "table": table},
            "power_on_time": {"hours": 25_612},
            "temperature": {"current": 38},
        },
        indent=2,
    )


def nvme(warning=0, **log):
    found = {
        "critical_warning": warning,
        "temperature": 41,
        "available_spare": 100,
        "available_spare_threshold": 10,
        "percentage_used": 3,
        "data_units_read": 17_176_794,
        "data_units_written": 65_602_088,
        "power_on_hours": 12_798,
        "unsafe_shutdowns": 10,
        "media_errors": 0,
        "num_err_log_entries": 62,
    } | log
    return json.dumps(
        _head("/dev/nvme0n1", "NVMe", "nvme", 8 if warning else 0)
        | {
            "model_name": "WD Red SN700 500GB",
            "smart_status": {"passed": not warning, "nvme": {"value": warning}},
            "nvme_smart_health_information_log": found,
        },
        indent=2,
    )


def message(text, exit_status=2, severity="error"):
    """It could not ask."""
    head = _head("/dev/sda", "ATA", "sat", exit_status)
    head["smartctl"]["messages"] = [{"string": text, "severity": severity}]
    return json.dumps(head, indent=2)


class Program:
    """A program that answers as the real one would; the path of it is `command`."""

    def __init__(self, directory):
        self._said = directory / "said.json"
        self._asked = directory / "asked"
        self.command = str(directory / "smartctl")
        text = f'#!/bin/sh\necho "$@" >> {self._asked}\ncat {self._said}\n'
        with open(self.command, "w") as file:
            file.write(text)
        (directory / "smartctl").chmod(stat.S_IRWXU)

    def says(self, text):
        self._said.write_text(text)

    @property
    def asked(self):
        """How it was called."""
        return self._asked.read_text().splitlines() if self._asked.exists() else []
