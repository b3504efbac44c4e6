"""A name server for tests: unbound with the records that a test gives, and nothing else.

    with NameServer(tmp_path, ["capulet.example. 60 IN A 127.0.0.31"]) as names:
        settings = {"dns": {"server": names.endpoint}}

It knows nothing of the world: other names do not exist.
"""

import shutil
import subprocess
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import gevent
import gevent.socket
from gevent.server import StreamServer

from hausbote.base.settings import Settings
from support.ports import free_ports


class NameServer:
    """unbound on a loopback address; `records` are lines of a zone file, names ending in a dot."""

    def __init__(self, directory, records=(), *, address="127.0.0.53", more=""):
        self.address, self.port = address, free_ports(address, 1)[0]
        self._directory, self._more = directory, more
        self._process = None
        self.records = list(records)
        self.start()

    @property
    def endpoint(self):
        """As dns.server wants it."""
        return f"{self.address}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def add(self, *records):
        """More records, from now on."""
        self.records += records
        self.stop()
        self.start()

    def start(self):
        program = shutil.which("unbound", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program, "these tests need Debian's unbound: apt install unbound"
        config = self._directory / f"unbound-{self.port}.conf"
        config.write_text(self._config())
        command = [program, "-d", "-d", "-c", str(config)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._await_answers()

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process.stderr.close()
            self._process = None

    def _config(self):
        data = "\n".join(f"  local-data: '{record}'" for record in self.records)
        return f"""server:
  interface: {self.address}
  port: {self.port}
  do-daemonize: no
  use-syslog: no
  logfile: ""
  verbosity: 0
  chroot: ""
  username: ""
  directory: "{self._directory}"
  pidfile: ""
  num-threads: 1
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  local-zone: "." static
{data}
{self._more}
remote-control:
  control-enable: no
"""

    def _await_answers(self):
        query = dns.message.make_query("waiting.invalid.", "A")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError("unbound does not start: " + self._process.stderr.read())
            try:
                dns.query.udp(query, self.address, timeout=0.2, port=self.port)
            except (dns.exception.Timeout, OSError):
                time.sleep(0.02)
            else:
                return
        raise AssertionError("unbound does not answer")


class OddNameServer:
    """A name server in this process that answers as it likes.

    `answers` gets the query (and whether it came by TCP) and returns messages, bytes, or nothing.
    """

    def __init__(self, answers, address="127.0.0.54"):
        self.asked = []
        self._answers = answers
        self._udp = gevent.socket.socket(gevent.socket.AF_INET, gevent.socket.SOCK_DGRAM)
        (port,) = free_ports(address, 1)
        self._udp.bind((address, port))
        self._tcp = StreamServer((address, port), self._stream)
        self._tcp.start()
        self._task = gevent.spawn(self._datagrams)
        self.endpoint = f"{address}:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._task.kill()
        self._tcp.stop()
        self._udp.close()

    def _datagrams(self):
        while True:
            data, peer = self._udp.recvfrom(4096)
            for answer in self._told(data, False):
                self._udp.sendto(answer, peer)

    def _stream(self, sock, _peer):
        size = int.from_bytes(sock.recv(2), "big")
        for answer in self._told(sock.recv(size), True):
            sock.sendall(len(answer).to_bytes(2, "big") + answer)
        sock.close()

    def _told(self, data, by_tcp):
        query = dns.message.from_wire(data)
        question = query.question[0]
        self.asked.append((str(question.name), dns.rdatatype.to_text(question.rdtype)))
        for one in self._answers(query, by_tcp) or ():
            yield one if isinstance(one, bytes) else one.to_wire(max_size=65535)


def reply(query, *records, rcode="NOERROR", flags=0):
    """An answer to a query with these lines of a zone file."""
    answer = dns.message.make_response(query)
    answer.flags |= flags
    answer.set_rcode(dns.rcode.from_text(rcode))
    for record in records:
        name, ttl, _, kind, data = record.split(None, 4)
        answer.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
    return answer


def server_records(domain, address, port=None, tls_port=None, ttl=60):
    """What a domain's owner writes into its zone: SRV records for other servers, and the address."""
    kind = "AAAA" if ":" in address else "A"
    records = [f"{domain}. {ttl} IN {kind} {address}"]
    if port:
        records.append(f"_xmpp-server._tcp.{domain}. {ttl} IN SRV 5 0 {port} {domain}.")
    if tls_port:
        records.append(f"_xmpps-server._tcp.{domain}. {ttl} IN SRV 1 0 {tls_port} {domain}.")
    return records


def settings_with(state, names, **raw):
    """Settings of a box that asks this name server."""
    raw = {"domain": "house.example", "dns": {"server": names.endpoint}} | raw
    return Settings.from_dict(raw, state)
