"""The files that the settings name: whether they are there."""

from collections.abc import Iterator

from hausbote.base.settings import Settings

_FILE = "file:"  # before the path of a component's secret


def missing_files(settings: Settings) -> Iterator[str]:
    """A sentence for each file that cannot be read, the setting's key in front."""
    for key, name in _named(settings):
        path = settings.path(name)
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            yield f"{key}: {path} cannot be read: {error.strerror}"


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    tls = settings.tls
    yield "tls.certificate", tls.certificate
    yield "tls.key", tls.key
    for name in tls.trust:
        yield "tls.trust", name
    if tls.authorities and settings.beyond:
        yield "tls.authorities", tls.authorities
    for name in tls.revoked:
        yield "tls.revoked", name
    for secret in settings.components.by_domain.values():
        if secret.startswith(_FILE):
            yield "components.secrets", secret.removeprefix(_FILE)
