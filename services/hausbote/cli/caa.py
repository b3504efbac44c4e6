"""What `hausbote check` says of the records that allow an authority to certify the box's names."""

from collections.abc import Iterator

from hausbote.base.settings import Settings
from hausbote.cli.finding import Finding, Mark
from hausbote.inspection.caa import Allowed, Permission, is_writable, permissions
from hausbote.net.dns import Resolver


def caa_findings(settings: Settings, resolver: Resolver) -> Iterator[Finding]:
    """For the names that the box asks a certificate for; nothing if it asks for none."""
    if settings.certificates.acme == "no":
        return
    if not is_writable(settings):
        told = "the record can be written when the authority has given its first certificate"
        yield Finding(Mark.HINT, "CAA", told, "hausbote certificate request")
        return
    for one in permissions(settings, resolver):
        mark, told = _told(one)
        change = "" if mark is Mark.GOOD else one.record
        yield Finding(mark, f"CAA of {one.place}", told, change)


def caa_records(settings: Settings) -> list[str]:
    """The lines of a zone file by which only the box gets certificates for its names; may wait for
    DNS, which decides for which names there has to be one."""
    if settings.certificates.acme == "no" or not is_writable(settings):
        return []
    return [one.record for one in permissions(settings, Resolver(settings)) if one.record]


def _told(one: Permission) -> tuple[Mark, str]:
    match one.allowed:
        case Allowed.UNKNOWN:
            return Mark.BAD, one.problem
        case Allowed.ANYBODY:
            told = "none: every authority may certify this name, for whoever answers for it"
            return Mark.HINT, told
        case Allowed.NOT_THE_BOX:
            return Mark.BAD, "does not let the box renew its certificate"
        case Allowed.ANY_ACCOUNT:
            told = f"{one.issuer} may certify this name, for whoever answers for it"
            return Mark.HINT, told
        case Allowed.BOX:
            return Mark.GOOD, f"only {one.issuer}, and only for this box's account"
