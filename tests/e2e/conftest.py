"""One instance with the booking example, for all tests that leave it as they found it."""

from collections.abc import Iterator

import pytest

from fakes.instances import Instance, serving


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """`bascule up --demo`, as a process; at the end it must stop well and leave nothing behind."""
    with serving(tmp_path_factory.mktemp("demo") / "data", "--demo") as instance:
        assert instance.child.offspring() != [], "the booking service is a child of its own"
        yield instance
