"""`breakers` on the directory of an instance, where a service is known and none was called."""

from pathlib import Path

from unit.cli.shell import run


def add(data: Path) -> None:
    body = ("servers", "add", "notes", "http://127.0.0.1:9/mcp", "--data", data)
    assert run(*body).code == 0


def test_every_service_is_listed_with_its_breaker_and_its_health(data: Path) -> None:
    add(data)
    found = run("breakers", "list", "--data", data, "-o", "json").value
    states = {one["upstream"]: one["breaker"]["state"] for one in found["conditions"]}
    assert states["notes"] == "closed"
    listed = run("breakers", "list", "--data", data).out.splitlines()
    assert listed[0].split() == ["upstream", "breaker", "failures", "health", "reason"]
    (notes,) = [line for line in listed if line.startswith("notes ")]
    assert "not known yet" in notes


def test_a_breaker_is_reset_by_name(data: Path) -> None:
    add(data)
    reset = run("breakers", "reset", "notes", "--data", data, "-o", "json").value
    assert (reset["upstream"], reset["state"]) == ("notes", "closed")


def test_what_is_not_there_is_said_to_be_so(data: Path) -> None:
    refused = run("breakers", "reset", "absent", "--data", data)
    assert refused.code != 0
    assert "There is no upstream named absent" in refused.err


def test_how_long_an_open_one_lasts_is_shown() -> None:
    from bascule.cli.commands.breakers import _row  # noqa: PLC0415 - private, and shown nowhere else

    breaker = {"state": "open", "failures": 5, "retry_after_seconds": 12.5}
    health = {"health": "down", "reason": "its breaker is open"}
    row = _row({"upstream": "shop", "breaker": breaker, "health": health})
    assert row["breaker"] == "open, 12.5 s left"
    assert (row["health"], row["reason"]) == ("down", "its breaker is open")
