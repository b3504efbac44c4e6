"""Certificates, whoever signs them."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


@dataclass(frozen=True)
class Tls:
    """Certificates. Paths are relative to the state directory."""

    certificate: str = setting("certs/box.pem", "The certificate chain, PEM, own first.")
    key: str = setting("certs/box.key", "Its private key, PEM.")
    trust: tuple[str, ...] = setting((), "Files with further CAs that are trusted, PEM.")
    authorities: str = setting(
        "/etc/ssl/certs/ca-certificates.crt",
        "File with the CAs that the system trusts, PEM. Empty = only those of tls.trust.",
    )
    revoked: tuple[str, ...] = setting((), "Files with lists of revoked certificates, PEM or DER.")


@dataclass(frozen=True)
class Certificates:
    """A certificate that everybody trusts, by ACME: asked for and renewed by the box itself."""

    acme: str = setting(
        "no",
        "Does the box get its certificate like that? Yes is also your consent to the authority's "
        "terms of service.",
        choices=("no", "yes"),
    )
    server: str = setting(
        "", "Address of the authority's ACME directory, https://... Default: Let's Encrypt's."
    )
    staging: str = setting(
        "no",
        "Is it a rehearsal? Then the default is Let's Encrypt's staging server, whose certificates "
        "nobody trusts: all is tried, and the box keeps the certificate that it has.",
        choices=("no", "yes"),
    )
    challenge: str = setting(
        "http-01",
        "How the box proves that its names are its own: at port 80 (ports.http), or in DNS by the "
        "programs in certificates.hooks.",
        choices=("http-01", "dns-01"),
    )
    address: str = setting("", "IP address where ports.http is opened. Default: all of them.")
    hooks: str = setting(
        "acme-hooks", "Folder with the programs auth and cleanup for dns-01; relative, too."
    )
