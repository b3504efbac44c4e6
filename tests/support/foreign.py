"""Servers of other makers, each on a loopback address of its own, and a Hausbote beside them.

Prosody and ejabberd come from Debian's packages.  All of them find each other by the tests' name
server and trust the tests' authority.
"""

import os
import shutil
import signal
import socket
import subprocess
import time

from support.client import Client
from support.nameserver import NameServer
from support.ports import free_ports
from support.wires import TcpWire
from support.worlds import PASSWORD, RunningWorld

_PROSODY = """
run_as_root = true
pidfile = "{dir}/prosody.pid"
data_path = "{dir}/data"
plugin_paths = {{}}
unbound = {{ resolvconf = false, hoststxt = false, forward = {{ "{dns}" }},
    options = {{ ["do-not-query-localhost:"] = "no" }} }}
modules_enabled = {{ "disco", "roster", "saslauth", "tls", "blocklist", "carbons", "pep",
    "private", "vcard4", "vcard_legacy", "mam", "ping", "register", "time", "version", "posix",
    "limits", {more} }}
modules_disabled = {{ {less} }}
allow_registration = true
authentication = "internal_hashed"
default_archive_policy = true
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = {secure}
interfaces = {{ "{address}" }}
local_interfaces = {{ "{address}" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ {s2s_port} }}
s2s_direct_tls_ports = {{ {s2s_tls_port} }}
http_ports = {{}}
https_ports = {{}}
limits = {{ c2s = {{ rate = "100mb/s" }}, s2sin = {{ rate = "100mb/s" }} }}
ssl = {{ certificate = "{dir}/box.pem", key = "{dir}/box.key", cafile = "{dir}/root.pem" }}
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{dir}/prosody.log" }} }}
VirtualHost "{domain}"
Component "rooms.{domain}" "muc"
"""

_EJABBERD = """
loglevel: debug
hosts: ["{domain}"]
certfiles: ["{dir}/both.pem"]
ca_file: "{dir}/root.pem"
acme: {{auto: false}}
default_db: mnesia
auth_method: mnesia
auth_password_format: scram
s2s_use_starttls: {starttls}
s2s_cafile: "{dir}/root.pem"
s2s_timeout: 10
outgoing_s2s_families: [ipv4]
registration_timeout: infinity
listen:
  - {{port: {port}, ip: "{address}", module: ejabberd_c2s, starttls_required: true, access: all}}
  - {{port: {s2s_port}, ip: "{address}", module: ejabberd_s2s_in}}
{listen}access_rules:
  register: {{allow: all}}
modules:
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_mam: {{assume_mam_usage: true, default: always}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub: {{access_createnode: all, plugins: [flat, pep]}}
  mod_register: {{access: register, ip_access: all}}
  mod_roster: {{}}
  mod_s2s_dialback: {{}}
  mod_vcard: {{search: false}}
  mod_vcard_xupdate: {{}}
  mod_version: {{}}
{more}"""


_ENTER = """
mkdir -p "$1$2" && mount --bind "$2" "$1$2" && mount --rbind /dev "$1/dev" &&
mount --rbind /sys "$1/sys" && mount -t proc proc "$1/proc" && root=$1 && cd "$2" && shift 2 && exec chroot "$root" "$@"
"""


def enter(root, directory):
    """What goes before a command to run it in another Debian, where that directory is, too."""
    return ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(root), str(directory)]


class Names:
    """What DNS has of the servers; rooms and others are at the same place.

    ejabberd asks DNS for services only and the system for addresses, so the name server for it
    gives addresses as hosts.
    """

    def __init__(self, directory):
        self.names = NameServer(directory)
        self.literal = NameServer(directory, address="127.0.0.55")

    def put(self, domain, address, port, tls_port=0):
        for server, host in ((self.names, f"srv.{domain}"), (self.literal, address)):
            records = [f"srv.{domain}. 60 IN A {address}"]
            for name in (domain, f"rooms.{domain}"):
                records.append(f"_xmpp-server._tcp.{name}. 60 IN SRV 5 0 {port} {host}.")
                if tls_port:  # which is tried first
                    records.append(f"_xmpps-server._tcp.{name}. 60 IN SRV 0 0 {tls_port} {host}.")
            server.add(*records)

    def stop(self):
        self.names.stop()
        self.literal.stop()


class Foreign:
    """Common to both: where it is, and its accounts."""

    mechanism = "SCRAM-SHA-1"

    def __init__(
        self, directory, domain, address, names, authority, identity=None, root="", **options
    ):
        """`root` is the directory of another Debian, whose packages these are (`other_debian`)."""
        self.directory, self.domain, self.address = directory, domain, address
        self.root, self.inside = root, enter(root, directory) if root else []
        self.options = options
        directory.mkdir(parents=True)
        self.port, self.s2s_port, self.s2s_tls_port = free_ports(address, 3)
        self.ca = authority.write(directory)
        identity = identity or authority.issue(domain, f"*.{domain}")
        pem, key = identity.write(directory, "box")
        (directory / "both.pem").write_bytes(pem.read_bytes() + key.read_bytes())
        self.names = names
        names.put(domain, address, self.s2s_port)
        self.process = None
        try:
            self.start()
        except AssertionError:
            if self.process is not None:
                self.stop()
            raise

    def wait_for_port(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            try:
                socket.create_connection((self.address, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("it does not start: " + self.log())

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()

    def client(self):
        return Client(self.wire(), self.domain)

    def wire(self):
        wire = TcpWire(self.address, self.port, self.ca, self.domain)
        wire.strict = False  # the tests' authority says little of its certificates
        return wire

    def add_account(self, local):
        """By in-band registration."""
        client = self.client()
        client.secure()
        query = f"<username>{local}</username><password>{PASSWORD}</password>"
        client.sends(
            f"<iq type='set' id='r'><query xmlns='jabber:iq:register'>{query}</query></iq>"
        )
        assert client.next().get("type") == "result"
        client.wire.cut()

    def log_in(self, local, resource):
        return self.client().log_in(local, PASSWORD, resource, mechanism=self.mechanism)


class Prosody(Foreign):
    def start(self):
        program = shutil.which("prosody", path="/usr/bin:/usr/sbin:/usr/local/bin")
        assert program, "these tests need Debian's prosody: apt install prosody lua-unbound"
        (self.directory / "data").mkdir(exist_ok=True)
        values = {"more": '"smacks"', "less": "", "secure": "true"} | self.options
        config = self.directory / "prosody.cfg.lua"
        config.write_text(
            _PROSODY.format(
                dir=self.directory, dns=f"{self.names.names.address}@{self.names.names.port}",
                address=self.address, port=self.port, s2s_port=self.s2s_port,
                s2s_tls_port=self.s2s_tls_port, domain=self.domain, **values,
            )
        )  # fmt: skip
        self.process = subprocess.Popen(
            [*self.inside, program, "-F", "--config", str(config)], cwd=self.directory, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=(self.directory / "out.log").open("a"),
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait_for_port()

    def log(self):
        return "".join(path.read_text() for path in self.directory.glob("*.log"))


class Ejabberd(Foreign):
    def start(self):
        program = shutil.which("erl", path="/usr/bin:/usr/local/bin")
        libraries = _ejabberd_libraries(self.root)
        assert program, "these tests need Debian's ejabberd: apt install ejabberd"
        assert libraries, "these tests need Debian's ejabberd: apt install ejabberd"
        d = self.directory
        config = d / "ejabberd.yml"
        values = {"starttls": "required", "listen": "", "more": ""} | self.options
        config.write_text(
            _EJABBERD.format(
                dir=d, address=self.address, port=self.port, s2s_port=self.s2s_port,
                domain=self.domain, **values,
            )
        )  # fmt: skip
        names = self.names.literal
        address = names.address.replace(".", ",")
        (d / "inetrc").write_text(
            '{lookup, [dns]}.\n{hosts_file, ""}.\n{resolv_conf, ""}.\n'
            f"{{nameserver, {{{address}}}, {names.port}}}.\n"
        )
        environment = os.environ | {
            "HOME": str(d),
            "ERL_LIBS": libraries,
            "ERL_INETRC": str(d / "inetrc"),
            "EJABBERD_CONFIG_PATH": str(config),
            "EJABBERD_LOG_PATH": str(d / "ejabberd.log"),
            "ERL_CRASH_DUMP_BYTES": "0",
        }
        quiet = ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "+S", "1:1", "+A", "2"]
        self.process = subprocess.Popen(
            [*self.inside, program, *quiet, "-mnesia", "dir", f'"{d}/spool"', "-s", "ejabberd", "-noinput"],
            cwd=d, env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=(d / "out.log").open("a"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait_for_port()

    def log(self):
        return "".join(path.read_text(errors="replace") for path in self.directory.glob("*.log"))


def _ejabberd_libraries(root=""):
    """Where Debian puts ejabberd and what it is made of."""
    for directory in (
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib/erlang/lib",
    ):
        there = f"{root}{directory}"
        if os.path.isdir(there) and any(n.startswith("ejabberd-") for n in os.listdir(there)):
            return directory
    return ""


class Federating(RunningWorld):
    """A running Hausbote that federates; `identity` is another certificate than a good one."""

    federates = "yes"

    def __init__(
        self, state, domain, address, names, authority, *settings, identity=None, direct=False
    ):
        self.names, self.authority = names, authority
        self.identity = identity or authority.issue(domain, f"*.{domain}")
        self.s2s_port, self.s2s_tls_port = free_ports(address, 2)
        names.put(domain, address, self.s2s_port, self.s2s_tls_port if direct else 0)
        super().__init__(
            state, f"ports.s2s={self.s2s_port}", f"ports.s2s_tls={self.s2s_tls_port}",
            f"dns.server={names.names.endpoint}", "tls.authorities=\"\"", 'tls.trust=["certs/ca.pem"]',
            *settings, address=address, domain=domain,
        )  # fmt: skip

    def prepare(self):
        certs = self.state / "certs"
        self.authority.write(certs).rename(certs / "ca.pem")
        self.identity.write(certs, "box")

    def wire(self):
        wire = super().wire()
        wire.strict = False
        return wire

    def log_in(self, local, resource):
        return self.client().log_in(local, PASSWORD, resource)


def wait_for(client, wanted, seconds=15):
    """The next stanza that is wanted; what comes before it is dropped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        stanza = client.next(deadline - time.monotonic())
        if stanza is not None and wanted(stanza):
            return stanza
    raise AssertionError("it does not come")
