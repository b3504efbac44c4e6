"""Servers of other makers that people move away from: what they have there, and their exports."""

import json
import subprocess
import urllib.request

from support.foreign import Ejabberd, Prosody
from support.ports import free_ports

_MIGRATOR = """
input {{ type = "internal"; path = "{data}"; hosts = {{ ["{domain}"] = {{
    "accounts", "roster", "vcard", "private", "archive-archive", "pep-pubsub" }} }} }}
output {{ type = "xep0227" }}
"""
# The migrator writes where the package keeps its data, which is somewhere else for this process.
_ELSEWHERE = 'mount --bind "$1" "$2/var/lib/prosody" && shift 2 && exec "$@"'


class ExportingProsody(Prosody):
    """Debian's Prosody, with bookmarks as it has them."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, more='"smacks", "bookmarks"', **options)

    def export(self):
        """A file for each account, by Prosody's own migrator; the server must have stopped."""
        out = self.directory / "exported"
        out.mkdir()
        config = self.directory / "migrator.cfg.lua"
        config.write_text(_MIGRATOR.format(data=self.directory / "data", domain=self.domain))
        command = ["prosody-migrator", "--root", "--config", str(config), "input", "output"]
        elsewhere = ["unshare", "--mount", "sh", "-c", _ELSEWHERE, "sh", str(out), self.root]
        done = subprocess.run(
            [*elsewhere, *self.inside, *command], cwd=self.directory, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return out


class ExportingEjabberd(Ejabberd):
    """Debian's ejabberd; its commands are asked for by HTTP."""

    def __init__(self, directory, domain, address, *arguments, **options):
        self.api = free_ports(address, 1)[0]
        listen = (
            f'  - {{port: {self.api}, ip: "{address}", module: ejabberd_http,'
            " request_handlers: {/api: mod_http_api}}\n"
        )
        more = '  mod_http_api: {}\napi_permissions: {all: {who: all, what: "*"}}\n'
        super().__init__(
            directory, domain, address, *arguments, listen=listen, more=more, **options
        )

    def command(self, name, **arguments):
        request = urllib.request.Request(
            f"http://{self.address}:{self.api}/api/{name}",
            json.dumps(arguments).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def dump(self):
        """All of its database as text."""
        self.command("dump", file=str(self.directory / "dump.txt"))
        return self.directory / "dump.txt"

    def export(self):
        """The main file, which includes one for the host; the server must run."""
        out = self.directory / "exported"
        out.mkdir()
        self.command("export_piefxis_host", dir=str(out), host=self.domain)
        (main,) = [path for path in out.glob("*.xml") if "_" not in path.name]
        return main
