"""python -m hausbote.upload --state DIR: runs the service until it is told to stop."""

import sys

from hausbote.core.process import Process
from hausbote.net.tls import CertificateError
from hausbote.upload.depot import Depot
from hausbote.upload.relay import ProxyServer
from hausbote.upload.service import build_host
from hausbote.upload.sweeper import Sweeper
from hausbote.upload.web import Web


def main() -> int:
    process = Process.from_command_line("upload")
    settings = process.settings
    host = build_host(settings, process.store(), process.open_bus)
    process.give_time(host)
    try:
        depot = Depot(settings.uploads_dir)
        depot.prepare(lambda id: host.store.uploads.get(id) is not None)
        web = Web(host, depot)
        proxy = ProxyServer(host.neighbours[settings.names.proxy])
        web.start()
        proxy.start()
    except (CertificateError, OSError) as error:
        print(f"upload: {error}", file=sys.stderr)
        return 1
    sweeper = Sweeper(host, depot)
    sweeper.start()
    process.on_reload(web.reload_certificates)

    def stop() -> None:
        sweeper.stop()
        web.stop()
        proxy.stop()

    process.run(host, stop=stop, notified=lambda _: sweeper.sweep())
    return 0


if __name__ == "__main__":
    sys.exit(main())
