"""python -m hausbote.s2s --state DIR: runs the service until it is told to stop."""

import sys

from hausbote.core.process import Process
from hausbote.net.chains import TrustError
from hausbote.net.tls import CertificateError
from hausbote.s2s.server import Server
from hausbote.s2s.service import build_gate


def main() -> int:
    process = Process.from_command_line("s2s")
    try:
        gate = build_gate(process.settings, process.store(), process.open_bus)
        process.give_time(gate.host)
        gate.resume()  # before anything new comes, for that has to wait behind it
        server = Server(gate)
        server.start()
    except (CertificateError, TrustError, OSError) as error:
        print(f"s2s: {error}", file=sys.stderr)
        return 1
    process.on_reload(server.reload_certificates)
    process.run(
        gate.host,
        stop=server.stop,
        notified=gate.notified,
        handler=gate.from_bus,
        more=gate.describe,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
