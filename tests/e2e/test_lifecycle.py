"""How an instance ends, and how it begins again: signals, kills, and what is left of each call."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM
from typing import Any

import httpx2
import pytest

from bascule.audit.reading import Filter, tail
from bascule.audit.verify import verify
from fakes.hostile import Hostile, document, hostile_upstream
from fakes.instances import Instance, serving
from fakes.processes import survivors


@dataclass
class SlowCall:
    """A call that its service has and does not answer yet."""

    instance: Instance
    service: Hostile
    answer: "Future[httpx2.Response]"


@contextmanager
def slow_call(data: Path, **settings: str) -> Iterator[SlowCall]:
    """Bring a fresh instance to where it has such a call."""
    dotted = {name.replace("_", ".", 1): value for name, value in settings.items()}
    with (
        hostile_upstream() as service,
        serving(data, command="serve", settings=dotted) as instance,
        ThreadPoolExecutor(1) as pool,
    ):
        instance.publish(document(), "hostile", service.url)
        answer = pool.submit(instance.call, "wait")
        service.await_arrival()
        yield SlowCall(instance, service, answer)


def records(data: Path, **wanted: str) -> list[dict[str, Any]]:
    """What the journal says, once it is found to be whole."""
    checked = verify(data / "audit")
    assert checked.first_bad is None
    assert checked.warnings == ()
    return tail(data / "audit", 1000, Filter(**wanted))


def test_a_call_accepted_before_sigterm_is_answered_before_the_exit(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with slow_call(data) as slow:
        slow.instance.child.send(SIGTERM)
        slow.instance.child.wait_for("server.draining")
        assert not slow.answer.done()

        slow.service.release()
        answer = slow.answer.result(10)
        code = slow.instance.child.exit_code()

    assert answer.json()["result"]["structuredContent"] == {"said": "at last"}
    assert code == 0
    (record,) = records(data, correlation_id=answer.headers["x-correlation-id"])
    assert record["status"] == "success"
    assert not (data / "ready.json").exists()


def test_no_new_connection_is_taken_while_calls_drain(tmp_path: Path) -> None:
    with slow_call(tmp_path / "data") as slow:
        slow.instance.child.send(SIGTERM)
        slow.instance.child.wait_for("server.draining")

        with pytest.raises(httpx2.ConnectError):
            slow.instance.call("fine")

        slow.service.release()
        assert slow.answer.result(10).status_code == 200
        assert slow.instance.child.exit_code() == 0


def test_a_call_that_outlasts_the_grace_is_cut_off_and_recorded_as_such(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with slow_call(data, server_shutdown_grace_seconds="1") as slow:
        slow.instance.child.send(SIGTERM)

        assert slow.instance.child.exit_code() == 0
        assert slow.answer.result(10).status_code == 503

    (record,) = records(data, tool_name="wait")
    assert record["status"] == "cancelled"


def test_a_second_ctrl_c_does_not_wait_for_calls(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with slow_call(data) as slow:
        slow.instance.child.send(SIGINT)
        slow.instance.child.wait_for("server.draining")
        slow.instance.child.send(SIGINT)

        assert slow.instance.child.exit_code(5) == 0
        with suppress(httpx2.TransportError):
            answer = slow.answer.result(10)
            assert answer.status_code == 503 or answer.json()["result"]["isError"] is True

    (record,) = records(data, tool_name="wait")
    assert record["status"] in {"failure", "cancelled"}


def test_ctrl_c_in_a_terminal_ends_the_demo_and_its_service(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--demo") as instance:
        offspring = instance.child.offspring()
        assert offspring != []

        instance.child.interrupt()

        assert instance.child.exit_code(10) == 0
        assert survivors(offspring) == []
    assert "Traceback" not in instance.child.said
    assert not (tmp_path / "data" / "ready.json").exists()


def test_what_a_killed_instance_answered_is_there_when_it_starts_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--demo") as killed:
        answers = [killed.call("get_nearby_dealers", city="Pune") for _ in range(20)]
        user = killed.call("resolve_customer", key=killed.demo_key, mobile="9876543210")
        offspring = killed.child.offspring()
        assert offspring != []
        killed.child.send(SIGKILL)
        assert killed.child.exit_code() == -SIGKILL
        assert survivors(offspring) == []

    with serving(data, "--demo") as again:
        repeated = again.call("resolve_customer", key=killed.demo_key, mobile="9876543210")
        assert (again.admin_key, again.demo_key) == (killed.admin_key, killed.demo_key)

    structured = [answer.json()["result"]["structuredContent"] for answer in (user, repeated)]
    assert structured[0] == structured[1]
    assert structured[0]["name"] == "Rahul Sharma"
    recorded = {record["correlation_id"] for record in records(data)}
    assert {one.headers["x-correlation-id"] for one in (*answers, user, repeated)} <= recorded


def test_the_gateway_outlives_the_service_behind_its_tools(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--demo") as instance:
        service = instance.child.offspring()
        for process in service:
            process.kill()
        assert survivors(service) == []

        result = instance.call("get_nearby_dealers", city="Pune").json()["result"]

        assert result["isError"] is True
        assert result["_meta"]["io.bascule/error"]["code"] == "E4001"
        with instance.api() as client:
            assert client.get("/healthz").status_code == 200
