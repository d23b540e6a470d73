"""Kept answers, answers that do not fit, health and breakers, through an instance that serves."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from fakes import mcp
from fakes.instances import Instance, bascule, post, serving

OBJECT = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}


class Shop:
    """A service whose answers a test sets; it counts requests by method and path."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: Counter[str] = Counter()
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.loop = asyncio.new_event_loop()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line = " ".join(head.split(" ")[:2]).split("?")[0]
                self.seen[line] += 1
                planned = self.answers.get(line) or [(200, b'{"name":"x"}')]
                status, body = planned.pop(0) if len(planned) > 1 else planned[0]
                writer.write(
                    b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (status, len(body), body)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@contextmanager
def open_shop() -> Iterator[Shop]:
    shop = Shop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(shop.serve, "127.0.0.1", 0)

    server = shop.loop.run_until_complete(start())
    shop.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=shop.loop.run_forever)
    thread.start()
    try:
        yield shop
    finally:
        shop.loop.call_soon_threadsafe(shop.loop.stop)
        thread.join(5)
        server.close()
        for task in asyncio.all_tasks(shop.loop):
            task.cancel()
        shop.loop.run_until_complete(asyncio.sleep(0))
        shop.loop.close()


def document() -> bytes:
    done = {"200": {"description": "ok", "content": {"application/json": {"schema": OBJECT}}}}
    query = [{"name": "q", "in": "query", "schema": {"type": "string"}}]
    paths = {
        "/kept": {
            "get": {
                "operationId": "kept",
                "x-bascule-cache": 60,
                "parameters": query,
                "responses": done,
            }
        },
        "/found": {"get": {"operationId": "found", "responses": done}},
        "/order": {"post": {"operationId": "order", "responses": done}},
    }
    info = {"title": "Shop", "version": "1"}
    return json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}).encode()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Shop]]:
    data = tmp_path_factory.mktemp("resilience") / "data"
    settings = {"upstreams.health_seconds": "0.2"}
    with open_shop() as shop, serving(data, settings=settings) as instance:
        instance.publish(document(), "shop", shop.url)
        instance.set_connector(
            UPSTREAM,
            retry={"attempts": 3, "first_seconds": 0.01},
            breaker={"failures": 4, "window_seconds": 30, "open_seconds": 0.2},
            health_path="/healthz",
        )
        yield instance, shop


UPSTREAM = "shop.shop"


def result_of(response: httpx2.Response) -> dict:
    return response.json()["result"]


def last_record(instance: Instance, tool: str) -> dict:
    with instance.api() as admin:
        return admin.get("/api/admin/audit-logs", params={"tool_name": tool}).json()["logs"][0]


def test_a_kept_answer_is_marked_on_record_and_ended_by_a_write(scene) -> None:
    instance, shop = scene
    first = result_of(instance.call("kept", q="a"))
    again = result_of(instance.call("kept", q="a"))
    assert again["structuredContent"] == first["structuredContent"]
    assert again["_meta"]["io.bascule/cached"]["age_seconds"] >= 0
    assert "io.bascule/cached" not in first.get("_meta", {})
    assert "cached_age_seconds" in last_record(instance, "kept")["metadata"]
    instance.call("kept", q="b")
    assert shop.seen["GET /kept"] == 2
    instance.call("order")
    instance.call("kept", q="a")
    assert shop.seen["GET /kept"] == 3


def test_a_read_is_tried_again_and_the_record_says_how_often(scene) -> None:
    instance, shop = scene
    shop.answers["GET /found"] = [(503, b"{}"), (502, b"{}"), (200, b'{"name":"there"}')]
    assert result_of(instance.call("found"))["structuredContent"] == {"name": "there"}
    assert last_record(instance, "found")["metadata"] == {"attempts": 3}
    shop.answers["POST /order"] = [(503, b"{}"), (200, b"{}")]
    before = shop.seen["POST /order"]
    assert result_of(instance.call("order"))["isError"] is True
    assert shop.seen["POST /order"] == before + 1
    shop.answers.clear()


def test_an_answer_that_does_not_fit_is_an_error_that_says_where(scene) -> None:
    instance, shop = scene
    shop.answers["GET /found"] = [(200, b'{"name":null,"size":1}'), (200, b'{"size":"large"}')]
    assert result_of(instance.call("found"))["structuredContent"] == {"size": 1}
    refused = result_of(instance.call("found"))
    shop.answers.clear()
    assert refused["isError"] is True
    assert "structuredContent" not in refused
    assert "/size" in refused["content"][0]["text"]
    assert refused["content"][1]["text"] == '{"size":"large"}'
    assert refused["_meta"]["io.bascule/error"]["code"] == "E3003"
    record = last_record(instance, "found")
    assert (record["status"], record["error_code"]) == ("failure", "E3003")


def test_health_and_breaker_are_shown_and_reset(scene) -> None:
    instance, shop = scene
    wait_for_health(instance, "healthy")
    shop.answers["GET /healthz"] = [(503, b"{}")]
    wait_for_health(instance, "down")
    with instance.api() as admin:
        tools = admin.get("/api/admin/tools").json()["tools"]
        assert {one["health"] for one in tools} == {"down"}
        down = 'bascule_upstream_health{tenant="default",upstream="shop.shop"} 0.0'
        assert down in admin.get("/metrics").text
    shop.answers.clear()
    wait_for_health(instance, "healthy")
    shop.answers["POST /order"] = [(500, b"{}")]
    for _ in range(4):
        instance.call("order")
    shop.answers.clear()
    given = ("--data", instance.data, "-o", "json")
    reset = bascule("breakers", "reset", UPSTREAM, *given).value
    assert (reset["state"], reset["failures"]) == ("closed", 0)
    assert bascule("breakers", "list", *given).value["total"] == 1
    assert "structuredContent" in result_of(instance.call("order"))
    with instance.api() as admin:
        logs = admin.get("/api/admin/audit-logs").json()["logs"]
        assert "breaker.reset" in {one["action"] for one in logs}


def test_tools_of_a_service_that_is_down_may_be_hidden_until_it_is_back(tmp_path: Path) -> None:
    settings = {"upstreams.health_seconds": "0.2", "upstreams.when_down": "hide"}
    with open_shop() as shop, serving(tmp_path / "data", settings=settings) as instance:
        instance.publish(document(), "shop", shop.url)
        instance.set_connector(UPSTREAM, health_path="/healthz")
        wait_for_health(instance, "healthy")
        assert listed(instance) == {"kept", "found", "order"}
        shop.answers["GET /healthz"] = [(503, b"{}")]
        wait_for_health(instance, "down")
        assert listed(instance) == set()
        error = result_of(instance.call("order"))["_meta"]["io.bascule/error"]
        assert (error["code"], error["details"]) == ("E4001", {"health": "down"})
        assert shop.seen["POST /order"] == 0
        shop.answers.clear()
        wait_for_health(instance, "healthy")
        assert listed(instance) == {"kept", "found", "order"}
        assert "structuredContent" in result_of(instance.call("order"))


def listed(instance: Instance) -> set[str]:
    with instance.api() as client:
        answer = client.post("/mcp", **post(mcp.modern("tools/list", {})))
    return {tool["name"] for tool in result_of(answer)["tools"]}


def wait_for_health(instance: Instance, wanted: str) -> None:
    """Ask until it is so; each question is a round trip, and there is an end to it."""
    with instance.api() as admin:
        for _ in range(2000):
            health = admin.get(f"/api/admin/upstreams/{UPSTREAM}/health").json()["health"]
            if health == wanted:
                return
    raise AssertionError(f"never {wanted}, but {health}")
