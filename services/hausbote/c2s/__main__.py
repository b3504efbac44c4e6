"""python -m hausbote.c2s --state DIR: runs the service until it is told to stop."""

import sys

from hausbote.c2s.account_events import forget_old_events, write_failures
from hausbote.c2s.components import ComponentServer, SecretMissing
from hausbote.c2s.departures import erase_departed
from hausbote.c2s.health_rounds import go_round
from hausbote.c2s.management import preserving
from hausbote.c2s.server import Server
from hausbote.c2s.service import build_host
from hausbote.core.clock import every
from hausbote.core.exchange import announce_restart
from hausbote.core.process import Process
from hausbote.features import backup_news, certificate_news, full_disk
from hausbote.features.archive.retention import forget_old_messages
from hausbote.features.newcomers import forget_old_invitations, free_old_names
from hausbote.net.tls import CertificateError

_HOUR = 3_600.0  # seconds
_LOOK = 10.0  # seconds
_MINUTE = 60.0  # seconds


def main() -> int:
    process = Process.from_command_line("c2s")
    host = build_host(process.settings, process.store(), process.open_bus)
    process.give_time(host)
    try:
        server, components = Server(host), ComponentServer(host)
        here = preserving.restore(host)
        server.start()
        components.start()
    except (CertificateError, SecretMissing, OSError) as error:
        preserving.preserve(host)  # for the next start
        print(f"c2s: {error}", file=sys.stderr)
        return 1
    every(_HOUR, lambda: forget_old_messages(host))
    every(_HOUR, lambda: free_old_names(host))
    every(_HOUR, lambda: forget_old_invitations(host))
    every(_HOUR, lambda: erase_departed(host))
    every(_HOUR, lambda: forget_old_events(host))
    every(_HOUR, host.store.arrivals.prune)
    every(_HOUR, lambda: host.store.pubsub.expire_all(host.surely()))
    every(_HOUR, lambda: certificate_news.look(host))
    every(_HOUR, lambda: go_round(host))
    every(_LOOK, lambda: full_disk.look(host))
    every(_MINUTE, lambda: backup_news.look(host))
    every(_MINUTE, lambda: write_failures(host))
    announce_restart(host, here)
    process.on_reload(server.reload_certificates)

    def stop() -> None:
        components.stop()
        server.stop()
        write_failures(host)

    process.run(host, stop=stop, notified=server.account_changed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
