"""Instances for all tests that leave them as they found them."""

from collections.abc import Iterator

import pytest

from fakes.hostile import Hostile, document, hostile_upstream
from fakes.instances import Instance, serving

NARROW = {
    "server.max_body_bytes": "65536",
    "server.request_timeout_seconds": "1.5",
    "upstreams.max_response_bytes": "65536",
}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """`bascule up --demo`, as a process; at the end it must stop well and leave nothing behind."""
    with serving(tmp_path_factory.mktemp("demo") / "data", "--demo") as instance:
        assert instance.child.offspring() != [], "the booking service is a child of its own"
        yield instance


@pytest.fixture(scope="session")
def hostile() -> Iterator[Hostile]:
    """The service behind `narrow`."""
    with hostile_upstream() as service:
        yield service


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory, hostile: Hostile) -> Iterator[Instance]:
    """`bascule up` with narrow limits, and tools that misbehave in the bundle `hostile`."""
    data = tmp_path_factory.mktemp("narrow") / "data"
    with serving(data, settings=NARROW) as instance:
        instance.publish(document(), "hostile", hostile.url)
        # It fails on purpose, again and again, and each time that is looked at.
        once, never = {"attempts": 1}, {"failures": 10_000}
        instance.set_connector("hostile.hostile", retry=once, breaker=never)
        yield instance
