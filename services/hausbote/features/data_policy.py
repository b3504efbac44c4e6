"""What becomes of people's data here, as far as the box and its owner know (XEP-0504).

Nothing is said of data on its way to other networks: there are no gateways in the box.
"""

from hausbote.base.settings import Settings
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field

feature = Feature("data policy", xeps={"0504": "0.1.0"})


@feature.disco_form
def policy(host: Host) -> DataForm:
    settings = host.settings
    declared = settings.policy
    fields = [
        Field("auth_data", ("hidden",), "list-single"),  # SCRAM: passwords never come here
        Field("data_retention", (_retention(settings),), "text-single"),
        Field("data_deletion", (_truth(settings.has_portal),), "boolean"),  # messages, and files
        Field("encryption_at_rest", (_truth(declared.disk_encrypted == "yes"),), "boolean"),
        Field("data_export", (_truth(settings.has_portal),), "boolean"),
        Field("access_policy", declared.access, "list-multi"),
        Field("full_erasure", ("true",), "boolean"),  # XEP-0077 §3.2 deletes every row
        Field("backup_frequency", (str(_backup_hours(settings)),), "text-single"),
        Field("backup_retention", (_backups(settings),), "text-single"),
    ]
    if declared.terms:
        fields.append(Field("tos", (declared.terms,), "text-single"))
    if declared.extra:
        fields.append(Field("extra_info", (declared.extra,), "text-multi"))
    return DataForm(ns.DATA_POLICY, tuple(fields))


def _retention(settings: Settings) -> str:
    """The longest that anything is kept, in hours."""
    kept = settings.retention
    days = (kept.archive_days, kept.uploads_days)
    return "infinite" if 0 in days else str(max(days) * 24)


def _backup_hours(settings: Settings) -> int:
    """Hours between two backups, by the box itself or by its owner; 0 = there are none."""
    own = settings.backup.hours if settings.backup.repository else 0
    return settings.policy.backup_hours or own


def _backups(settings: Settings) -> str:
    """How long they are kept, in hours."""
    declared, own = settings.policy, settings.backup
    if declared.backup_hours or not own.repository:
        if not declared.backup_hours:
            return "0"
        return str(declared.backup_days * 24) if declared.backup_days else "infinite"
    days = max(own.keep_daily, own.keep_weekly * 7, own.keep_monthly * 31)
    return str(days * 24)


def _truth(value: bool) -> str:
    return "true" if value else "false"
