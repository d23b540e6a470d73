"""A gRPC service becomes tools: imported by what it says of itself, governed like all others."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.grpc_service import SERVICE, descriptors
from fakes.instances import Instance, bascule_here, serving
from fakes.processes import running

SCRIPT = Path(__file__).parents[1] / "fakes" / "grpc_service.py"


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The address of a service of its own process."""
    with running(sys.executable, str(SCRIPT)) as child:
        child.wait_for("listening on ")
        found = re.search(r"grpc://\S+", child.said)
        assert found is not None
        yield found[0]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with serving(tmp_path_factory.mktemp("grpc") / "data") as one:
        yield one


def imported(instance: Instance, *words: str | Path):
    given = ("import", "grpc", *words, "--data", instance.data, "-o", "json")
    return bascule_here(*given)


def test_a_service_that_describes_itself_is_imported_called_and_imported_again(
    instance: Instance, service: str
) -> None:
    preview = imported(instance, service, "--bundle", "orders", "--dry-run").value
    assert [one["name"] for one in preview["tools"]] == ["Orders_Get", "Orders_Put", "Orders_Drop"]
    assert "Watch" in preview["warnings"][0]["location"]
    made = imported(instance, service, "--bundle", "orders", "--publish").value
    assert made["published"]
    risks = {one["name"]: one["risk_level"] for one in made["tools"]}
    assert risks == {"Orders_Get": "read", "Orders_Put": "write", "Orders_Drop": "write"}

    result = instance.call("Orders_Get", id="9007199254740993").json()["result"]
    assert result["structuredContent"]["id"] == "9007199254740993"
    assert "E2002" in instance.call("Orders_Get", nothing=1).text
    refused = instance.call("Orders_Get", failWith="NOT_FOUND").json()["result"]
    assert refused["isError"]
    assert "as you asked" in refused["content"][0]["text"]

    again = imported(instance, service, "--bundle", "orders", "--publish").value
    assert not again["changed"]


def test_a_descriptor_set_takes_the_place_of_reflection(
    instance: Instance, service: str, tmp_path: Path
) -> None:
    file = tmp_path / "orders.pb"
    file.write_bytes(descriptors())
    given = (service, "--bundle", "orders", "--descriptors", file, "--service", SERVICE)
    made = imported(instance, *given, "--dry-run").value
    assert made["tools_generated"] == 3


def test_a_service_that_is_not_there_or_no_address_says_so(
    instance: Instance, tmp_path: Path
) -> None:
    dead = imported(instance, "grpc://127.0.0.1:1", "--bundle", "dead")
    assert "cannot be reached" in dead.error["message"]
    odd = imported(instance, "orders:50051", "--bundle", "odd")
    assert "grpc://host:port" in odd.error["message"]
    file = tmp_path / "no.pb"
    file.write_bytes(b"\xff\xff")
    broken = imported(instance, "grpc://127.0.0.1:1", "--bundle", "x", "--descriptors", file)
    assert "protoc" in broken.error["message"]
