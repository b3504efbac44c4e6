"""The archive forgets (XEP-0313 §3.2): what is too old, and the oldest of what is too much."""

from hausbote.core.host import Host

_DAY = 86_400.0  # seconds


def forget_old_messages(host: Host) -> int:
    """Returns how many entries of archives went; others' writes come in between."""
    days = host.settings.retention.archive_days
    now = host.surely()
    before = now - days * _DAY if days else 0.0
    return host.store.archives.purge(before, host.settings.limits.archive_messages, now)
