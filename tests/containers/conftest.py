"""An engine, the images, and a box in containers, for all tests here.

They take a few minutes, most of it for the images of the first run.  DOCKER_HOST names an engine
that runs already.
"""

import pytest

from support.engine import ContainerBox, Engine, missing


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    if reason := missing():
        pytest.fail(reason, pytrace=False)
    made = Engine(tmp_path_factory.mktemp("engine"))
    try:
        made.make_images()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def box(engine, tmp_path_factory):
    made = ContainerBox(engine, tmp_path_factory.mktemp("box"), "127.0.0.80")
    try:
        made.init("limits.login_attempts=0", "limits.bytes_per_second=0")
        made.up()
        made.until_serving()
        yield made
    finally:
        made.down()
