"""certbot as a child process: it speaks ACME, proves the names, and keeps account and certificates.

It has places of its own in the box, and neither reads nor writes those of a certbot that the
machine has for something else.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hausbote.base.front import challenge_place
from hausbote.base.holder import holder
from hausbote.base.parent import PARENT
from hausbote.base.settings import Settings
from hausbote.certs.explanation import Circumstances, Trouble, explain
from hausbote.certs.places import LINEAGE, Places

_MISSING: Final = "certbot is not there: apt install certbot."
_LONGEST: Final = 3_600  # seconds; names in DNS may take a while to be seen everywhere
_ASKS_WHEN: Final = (4, 1)  # since this version it asks the authority when to renew (RFC 9773)
# What is meant for the processes of the box: its OpenSSL's settings, its Python.
_NOT_PASSED: Final = ("OPENSSL_CONF", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MALLOC_ARENA_MAX")
_ACME_ERROR: Final = re.compile(r"^acme\.messages\.Error: (urn:ietf:params:acme:error:.*)$", re.M)
_HOOKS: Final = {"--manual-auth-hook": "auth", "--manual-cleanup-hook": "cleanup"}


class Certbot:
    """The one of this Python, or of the machine; `missing` is a sentence if there is none."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings = settings
        self._places = places
        beside = Path(sys.executable).with_name("certbot")
        self._program = str(beside) if beside.exists() else shutil.which("certbot", path=_path())
        self.missing: Final = "" if self._program else _MISSING

    def asks_when(self) -> bool:
        """Whether it knows how to ask the authority if it is time (ARI)."""
        try:
            told = self._run(["--version"], os.environ).stdout
        except (OSError, subprocess.SubprocessError):
            return False
        found = re.search(r"certbot (\d{1,4})\.(\d{1,4})", told)
        return found is not None and (int(found[1]), int(found[2])) >= _ASKS_WHEN

    def obtain(self, names: list[str], *, anew: bool) -> Trouble | None:
        """Have it ask for one certificate with all the names; None if that went well.

        With `anew` there is a new one in any case, else only if certbot finds that it is time.
        """
        if self.missing:
            return Trouble(self.missing)
        hooks = self._missing_hook()
        if hooks:
            return Trouble(hooks)
        self._forget_log()
        try:
            done = self._run(self._arguments(names, anew=anew), self._environment())
        except subprocess.TimeoutExpired:
            return Trouble("certbot did not come to an end within an hour, and was stopped.")
        except OSError as error:
            return Trouble(f"certbot cannot be started: {error.strerror}.")
        if done.returncode == 0:
            return None
        return explain(f"{done.stdout}\n{self._last_error()}", self._circumstances())

    def _run(
        self, arguments: list[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        assert self._program is not None
        command = [sys.executable, "-m", "hausbote.base.parent", self._program, *arguments]
        return subprocess.run(
            command,
            env={**environment, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LONGEST,
            check=False,
        )

    def _arguments(self, names: list[str], *, anew: bool) -> list[str]:
        places = self._places
        return [
            "certonly",
            "--non-interactive",
            "--agree-tos",  # by certificates.acme = "yes"
            "--register-unsafely-without-email",  # the box itself tells its administrators
            *("--config-dir", str(places.config)),
            *("--work-dir", str(places.work)),
            *("--logs-dir", str(places.logs)),
            *("--max-log-backups", "9"),
            "--no-directory-hooks",
            *("--server", places.server),
            *("--cert-name", LINEAGE),
            *("--key-type", "ecdsa"),
            *("--elliptic-curve", "secp256r1"),
            "--renew-with-new-domains",
            "--force-renewal" if anew else "--keep-until-expiring",
            *[word for name in names for word in ("--domain", name)],
            *(self._http() if self._is_http else self._dns()),
        ]

    @property
    def _is_http(self) -> bool:
        return self._settings.certificates.challenge == "http-01"

    def _http(self) -> list[str]:
        address, port = challenge_place(self._settings)
        return [
            "--standalone",
            *("--preferred-challenges", "http"),
            *("--http-01-port", str(port)),
            *(("--http-01-address", address) if address else ()),
        ]

    def _dns(self) -> list[str]:
        hooks = [
            word
            for option, name in _HOOKS.items()
            for word in (option, shlex.quote(str(self._hook(name))))
        ]
        return ["--manual", *("--preferred-challenges", "dns"), *hooks]

    def _hook(self, name: str) -> Path:
        return self._settings.path(self._settings.certificates.hooks) / name

    def _missing_hook(self) -> str:
        if self._is_http:
            return ""
        for name in _HOOKS.values():
            hook = self._hook(name)
            if not hook.is_file():
                return f"{hook} is not there: dns-01 needs the programs auth and cleanup."
            if not os.access(hook, os.X_OK):
                return f"{hook} cannot be run: chmod +x {hook}"
        return ""

    def _environment(self) -> dict[str, str]:
        """certbot checks the authority's own certificate by what the box trusts."""
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED}
        kept |= {"PATH": _path(), "XDG_CONFIG_HOME": str(self._places.config)}
        if self._settings.tls.trust:
            kept["REQUESTS_CA_BUNDLE"] = str(self._trust_file())
        return kept

    def _trust_file(self) -> Path:
        """The machine's authorities and the owner's in one file."""
        tls = self._settings.tls
        names = [*([tls.authorities] if tls.authorities else []), *tls.trust]
        found = [self._settings.path(name).read_bytes() for name in names]
        self._places.acme.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._places.trust.write_bytes(b"\n".join(found))
        return self._places.trust

    def _forget_log(self) -> None:
        """Of the last time; certbot numbers what is there, and keeps some."""
        self._log.unlink(missing_ok=True)

    def _last_error(self) -> str:
        """What the authority said, as the log has it: certbot 2.1 with Python 3.11 stumbles over
        it and prints that "AttributeError: can't set attribute" instead."""
        try:
            found = _ACME_ERROR.findall(self._log.read_text("utf-8", "replace"))
        except OSError:
            return ""
        return found[-1] if found else ""

    @property
    def _log(self) -> Path:
        return self._places.logs / "letsencrypt.log"

    def _circumstances(self) -> Circumstances:
        address, port = challenge_place(self._settings)
        return Circumstances(
            self._places.authority_named,
            self._is_http,
            port,
            lambda: holder(address or "::", port),
        )


def _path() -> str:
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/bin:/usr/bin:/bin"
