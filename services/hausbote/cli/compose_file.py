"""python -m hausbote.cli.compose_file: writes compose/compose.yaml from the table of services.

It is what Docker Compose, docker-compose 1.29 and podman-compose have in common.
"""

from collections.abc import Iterator
from typing import Final

from hausbote.base.services import SERVICES, Service

_HEAD: Final = """\
# Hausbote in containers; docs/containers.md says how to use it, .env what can be chosen.
# Made by `make docs` from the table of services: changes belong there.

x-service: &service
  environment:
    HAUSBOTE_DOMAIN: ${HAUSBOTE_DOMAIN}
  volumes:
    - state:/var/lib/hausbote
  tmpfs:
    - /run/hausbote:mode=0700,uid=10000,gid=10000,size=4m
    - /tmp:mode=1777,size=64m
  user: "10000:10000"
  read_only: true
  cap_drop:
    - ALL
  pids_limit: 64
  restart: unless-stopped
  stop_grace_period: 10s

services:
"""
_SERVICE: Final = """\
  {name}:
    <<: *service
    image: ${{HAUSBOTE_IMAGES:-hausbote}}/{name}:${{HAUSBOTE_TAG:-latest}}
    network_mode: {network}
    mem_limit: {memory}m
"""
# The program there has the capability itself, which it would not get with no-new-privileges.
_LOW_PORTS: Final = """\
    cap_add:
      - NET_BIND_SERVICE
"""
_NO_MORE: Final = """\
    security_opt:
      - no-new-privileges:true
"""
_BACKUPS: Final = """\
    volumes:
      - state:/var/lib/hausbote
      - ${HAUSBOTE_BACKUPS:-backups}:/backups
"""
_TAIL: Final = """\

volumes:
  state:
  backups:
"""


def compose_file() -> str:
    """The file's text."""
    return _HEAD + "\n".join("".join(_service(one)) for one in SERVICES) + _TAIL


def _service(service: Service) -> Iterator[str]:
    yield _SERVICE.format(
        name=service.name,
        network='"host"' if service.network else '"none"',
        memory=service.memory,
    )
    if service.backups:
        yield _BACKUPS
    yield _LOW_PORTS if service.low_ports else _NO_MORE


if __name__ == "__main__":
    print(compose_file(), end="")
