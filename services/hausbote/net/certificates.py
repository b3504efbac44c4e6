"""Which certificates the box shows."""

from pathlib import Path

from hausbote.base.settings import Settings
from hausbote.net.tls import CertificateFiles


def certificates(settings: Settings) -> tuple[CertificateFiles, dict[str, CertificateFiles]]:
    """The box's certificate, and those of names that have their own: certs/NAME.pem, NAME.key."""
    tls = settings.tls
    default = CertificateFiles(settings.path(tls.certificate), settings.path(tls.key))
    names = [settings.domain, *vars(settings.names).values()]
    own = {name: _named(settings.state / "certs", name) for name in names}
    return default, {name: files for name, files in own.items() if files.chain.exists()}


def _named(directory: Path, name: str) -> CertificateFiles:
    return CertificateFiles(directory / f"{name}.pem", directory / f"{name}.key")
