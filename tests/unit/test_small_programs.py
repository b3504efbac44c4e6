"""What a container has for ever, or starts every minute, loads little of Hausbote and of Python."""

import subprocess
import sys

import pytest

DEAR = {"asyncio", "dataclasses", "gevent", "hausbote.base.settings", "http.client", "ssl"}
PROGRAMS = [
    "hausbote.base.container_watch",
    "hausbote.base.idle",
    "hausbote.core.health",
    "hausbote.turn.in_container",
]
SUPERVISOR = """
import sys
from types import ModuleType
from hausbote.base.container_supervisor import _SLIM
for name, names in _SLIM.items():
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(names)
"""


@pytest.mark.parametrize("module", PROGRAMS)
def test_it_loads_nothing_dear(module):
    program = f"{SUPERVISOR}\nimport {module}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not DEAR & set(done.stdout.split())
