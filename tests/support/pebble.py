"""An ACME authority for tests: pebble, with its own DNS server that says what a test wants.

    with Pebble(directory) as pebble:
        hausbote("init", ..., *pebble.settings(acme_port), state=state)

All names lead to the address that the tests' boxes are at.
"""

import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.request

from support.authority import Authority, ip_name
from support.ports import free_ports

ADDRESS = "127.0.0.71"


class Pebble:
    """`life` is how many seconds its certificates are good for; `validity` of `reused` proofs is
    none: every name is proven each time."""

    address = ADDRESS

    def __init__(self, directory, **environment):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        ports = free_ports(ADDRESS, 5)
        self.port, self.management, self.http_port, self.dns_port, self.dns_management = ports
        web = Authority("Pebble's own")
        self.web_root = web.write(directory)
        self._cert, self._key = web.issue("pebble.test", names=[ip_name(ADDRESS)]).write(
            directory, "web"
        )
        self._environment = os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        self._environment |= {"PEBBLE_AUTHZREUSE": "0"} | environment
        self._processes = []
        self.log = directory / "pebble.log"
        self.root = directory / "pebble-root.pem"
        self.start()

    @property
    def url(self):
        return f"https://{ADDRESS}:{self.port}/dir"

    def settings(self, *more, trusted=True):
        """For `hausbote init`: a box that asks this authority, and believes it."""
        trust = [str(self.web_root), *([str(self.root)] if trusted else [])]
        return [
            "certificates.acme=yes",
            f"certificates.server={self.url}",
            f"certificates.address={ADDRESS}",
            f"ports.http={self.http_port}",
            f"tls.trust={json.dumps(trust)}",
            "tls.authorities=",
            *more,
        ]

    def start(self, **config):
        config = {
            "listenAddress": f"{ADDRESS}:{self.port}",
            "managementListenAddress": f"{ADDRESS}:{self.management}",
            "certificate": str(self._cert),
            "privateKey": str(self._key),
            "httpPort": self.http_port,
            "tlsPort": 1,
        } | config
        path = self.directory / "pebble.json"
        path.write_text(json.dumps({"pebble": config}))
        self._run("pebble-challtestsrv", "-defaultIPv4", ADDRESS, "-defaultIPv6", "",
                  "-dns01", f"{ADDRESS}:{self.dns_port}", "-http01", "", "-https01", "",
                  "-tlsalpn01", "", "-management", f"{ADDRESS}:{self.dns_management}")  # fmt: skip
        dns = ["-dnsserver", f"{ADDRESS}:{self.dns_port}"]
        self._run("pebble", "-config", str(path), *dns)
        self.root.write_bytes(self._patiently(self._root))

    def _run(self, program, *arguments):
        found = shutil.which(program)
        assert found, f"these tests need Debian's pebble, which has {program}: apt install pebble"
        with self.log.open("ab") as log:
            command = [found, *arguments]
            self._processes.append(
                subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
            )

    def stop(self):
        for process in self._processes:
            process.terminate()
            process.wait(10)
        self._processes.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def tell_dns(self, what, **data):
        """A command of pebble-challtestsrv: set-servfail, add-a, set-txt ..."""
        url = f"http://{ADDRESS}:{self.dns_management}/{what}"
        request = urllib.request.Request(url, json.dumps(data).encode(), method="POST")
        self._patiently(lambda: urllib.request.urlopen(request, timeout=5).read())

    def asked(self, what):
        """How often something stands in its log."""
        return self.log.read_text().count(what)

    def _root(self):
        return self._fetched("/roots/0")

    def _fetched(self, path):
        url = f"https://{ADDRESS}:{self.management}{path}"
        context = ssl.create_default_context(cafile=str(self.web_root))
        return urllib.request.urlopen(url, timeout=5, context=context).read()

    def _patiently(self, ask):
        deadline = time.monotonic() + 30
        while True:
            try:
                return ask()
            except OSError:
                assert time.monotonic() < deadline, self.log.read_text()[-2000:]
                time.sleep(0.05)
