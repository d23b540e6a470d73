"""A privileged call waits for a person's leave: with the official client, at the pages, by REST."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import httpx2
import pytest
from mcp import types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from e2e.elevation_office import CALL, REASON, TOOL, URL_MODE, Browser, Office, error_of, office
from fakes.instances import bascule_here, serving
from unit.cli.shell import Quiet, answering

OTHER = {**CALL, "amount": 9999}
MANAGED = "https://pim.example/ask"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("elevation") / "data") as opened:
        yield opened


@pytest.fixture
def desk(place: Office) -> Iterator[Office]:
    """The office, with nothing asked for and nothing granted."""
    place.end_all()
    place.echo.received.clear()
    yield place
    place.end_all()


class Person:
    """Who sits before a client that can open addresses: asks there, and has bob agree."""

    def __init__(self, desk: Office, answer: str = "accept") -> None:
        self._desk = desk
        self._answer = answer
        self.asked: list[types.ElicitRequestURLParams] = []

    async def __call__(self, _: Any, params: Any) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestURLParams)
        self.asked.append(params)
        if self._answer == "accept":
            await anyio.to_thread.run_sync(self.go_there, params.url)
        return types.ElicitResult(action=self._answer)  # type: ignore[arg-type]

    def go_there(self, url: str) -> None:
        desk = self._desk
        with Browser(desk.instance, "ann") as browser:
            assert browser.ask(url).status_code == 303
            assert "waits" in browser.get(url).text
            (request,) = desk.admin("GET", "elevations?status=pending")["elevations"]
            assert desk.decide("bob", "approve", request, minutes=2).status_code == 200
            assert "Approved by bob" in browser.get(url).text


@asynccontextmanager
async def client_of(desk: Office, mode: str, person: Person | None) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {desk.keys['ann']}"}
    with anyio.fail_after(60):
        async with httpx2.AsyncClient(headers=headers, timeout=20, trust_env=False) as http:
            transport = streamable_http_client(desk.instance.mcp_url, http_client=http)
            async with Client(transport, mode=mode, elicitation_callback=person) as client:
                yield client


async def test_a_modern_client_is_sent_to_the_page_and_its_retry_succeeds(desk: Office) -> None:
    person = Person(desk)
    async with client_of(desk, "auto", person) as client:
        done = await client.call_tool(TOOL, CALL)
        assert not done.is_error
        assert done.structured_content == {"refunded": True}
        (asked,) = person.asked
        assert asked.url.startswith(f"{desk.instance.url}/elevate/")
        assert TOOL in asked.message
        assert desk.refunds == [CALL]
        person._answer = "decline"
        again = await client.call_tool(TOOL, CALL)
        assert again.is_error, "the grant was for one call"
        other = await client.call_tool(TOOL, OTHER)
        assert other.is_error
    assert desk.refunds == [CALL]


async def test_a_client_of_the_era_before_gets_the_error_made_for_it(desk: Office) -> None:
    person = Person(desk)
    async with client_of(desk, "legacy", person) as client:
        with pytest.raises(MCPError) as raised:
            await client.call_tool(TOOL, CALL)
        error = raised.value.error
        assert error.code == -32042
        (elicitation,) = error.data["elicitations"]
        assert elicitation["elicitationId"]
        details = error.data["details"]
        assert details == {"requires_elevation": True, "elevation_url": elicitation["url"]}
        assert desk.refunds == []
        await anyio.to_thread.run_sync(person.go_there, elicitation["url"])
        done = await client.call_tool(TOOL, CALL)
        assert not done.is_error
    assert desk.refunds == [CALL]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_cannot_be_asked_is_told_the_address(desk: Office, mode: str) -> None:
    async with client_of(desk, mode, None) as client:
        told = await client.call_tool(TOOL, CALL)
    assert told.is_error
    text = told.content[0].text  # type: ignore[union-attr]
    assert f"{desk.instance.url}/elevate/" in text
    assert desk.refunds == []


def test_every_shape_of_refusal_says_that_leave_is_required_and_where(desk: Office) -> None:
    asked = desk.call("ann", capabilities=URL_MODE)["result"]
    assert asked["resultType"] == "input_required"
    (request,) = asked["inputRequests"].values()
    assert (request["method"], request["params"]["mode"]) == ("elicitation/create", "url")
    for answer in (desk.call("ann"), desk.legacy_call("ann", "2025-06-18", URL_MODE)):
        error = error_of(answer["result"])
        assert error["code"] == "E1012"
        assert error["details"]["requires_elevation"] is True
        assert error["details"]["elevation_url"].startswith(f"{desk.instance.url}/elevate/")
    assert desk.refunds == []


def test_who_declines_to_go_there_is_not_asked_again_by_the_same_call(desk: Office) -> None:
    asked = desk.call("ann", capabilities=URL_MODE)["result"]
    key = next(iter(asked["inputRequests"]))
    answers = {key: {"action": "decline"}}
    told = desk.call("ann", capabilities=URL_MODE, inputResponses=answers)["result"]
    assert told["isError"] is True
    assert error_of(told)["code"] == "E1012"


def test_the_tool_is_listed_and_others_are_called_without_leave(desk: Office) -> None:
    assert desk.instance.call("look", desk.keys["ann"]).json()["result"].get("isError") is not True


def test_leave_for_one_call_covers_those_arguments_once(desk: Office) -> None:
    desk.grant("ann", scope="call", arguments=CALL)
    assert not desk.works("ann", OTHER)
    assert desk.works("ann", dict(reversed(CALL.items()))), "their order means nothing"
    assert not desk.works("ann")
    assert not desk.works("eve")
    assert desk.refunds == [CALL]


def test_of_many_calls_at_once_one_grant_for_one_call_lets_one_through(desk: Office) -> None:
    desk.grant("ann", scope="call", arguments=CALL)
    passed: list[bool] = []
    threads = [threading.Thread(target=lambda: passed.append(desk.works("ann"))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(passed) == [False] * 7 + [True]
    assert len(desk.refunds) == 1


@pytest.mark.parametrize(("scope", "name"), [("tool", TOOL), ("bundle", "desk")])
def test_leave_for_a_tool_or_bundle_covers_any_arguments_of_who_has_it(
    desk: Office, scope: str, name: str
) -> None:
    desk.grant("ann", scope=scope, name=name)
    assert desk.works("ann")
    assert desk.works("ann", OTHER)
    assert not desk.works("eve")
    assert not desk.works("bot")


def test_nobody_approves_their_own_request_by_any_way(desk: Office) -> None:
    request = desk.wish("eve")
    refused = desk.decide("eve", "approve", request)
    assert refused.status_code == 403
    assert "your own request" in refused.json()["error"]["message"]
    with Browser(desk.instance, "eve") as browser:
        path = f"/elevations/{request['elevation_id']}"
        assert "/approve" not in browser.get(path).text
    assert desk.decide("ann", "approve", request).status_code == 403
    assert not desk.works("eve")


def test_what_is_revoked_midway_covers_the_next_call_no_more(desk: Office) -> None:
    granted = desk.grant("ann")
    assert desk.works("ann")
    assert desk.decide("bob", "revoke", granted, comment="Enough.").is_success
    assert not desk.works("ann")
    shown = desk.ask("ann", "GET", f"/api/elevations/{granted['elevation_id']}").json()
    assert (shown["status"], shown["ended_by"], shown["end_comment"]) == (
        "revoked", "bob", "Enough.",
    )  # fmt: skip


def test_what_is_past_its_time_covers_nothing(desk: Office) -> None:
    granted = desk.grant("late", minutes=1)
    desk.clock.write_text("58")
    assert desk.works("late")
    desk.clock.write_text("61")
    assert not desk.works("late")
    shown = desk.ask("late", "GET", f"/api/elevations/{granted['elevation_id']}").json()
    assert shown["status"] == "expired"


def test_a_request_that_is_denied_says_why_and_can_be_made_again(desk: Office) -> None:
    link = desk.link("ann")
    with Browser(desk.instance, "ann") as browser:
        browser.ask(link, scope="tool")
        (request,) = desk.admin("GET", "elevations?status=pending")["elevations"]
        assert desk.decide("bob", "deny", request, comment="Ask finance.").is_success
        page = browser.get(link)
        assert "Denied by bob" in page.text
        assert "Ask finance." in page.text
        assert not desk.works("ann")
        again = desk.decide("eve", "approve", request)
        assert again.status_code == 409
        assert "already decided by bob" in again.json()["error"]["message"]
        assert browser.ask(link).status_code == 303


def test_two_people_do_all_of_it_at_the_pages(desk: Office) -> None:
    link = desk.link("ann")
    with Browser(desk.instance, "ann") as ann, Browser(desk.instance, "bob") as bob:
        ann.ask(link, scope="tool")
        (request,) = desk.admin("GET", "elevations?status=pending")["elevations"]
        path = f"/elevations/{request['elevation_id']}"
        page = bob.get(path)
        for text in (REASON, "privileged", "Refund an order", "any arguments"):
            assert text in page.text
        assert bob.decide(path, "approve", minutes="2").status_code == 303
        assert desk.works("ann", OTHER)
        assert ann.decide(path, "revoke").status_code == 303
        assert not desk.works("ann")


def test_for_the_key_of_a_service_the_link_is_enough(desk: Office) -> None:
    link = desk.link("bot")
    with Browser(desk.instance) as somebody:
        assert "the API key bot" in somebody.get(link).text
        assert somebody.ask(link).status_code == 303
    (request,) = desk.admin("GET", "elevations?status=pending")["elevations"]
    assert (request["user"], request["asked_by"]) == ("bot", "bot")
    assert desk.decide("bob", "approve", request).is_success
    assert desk.works("bot")
    assert not desk.works("ann")


def test_a_link_is_of_use_to_nobody_else(desk: Office) -> None:
    link = desk.link("ann")
    with Browser(desk.instance) as stranger:
        assert stranger.get(link).status_code == 403
    with Browser(desk.instance, "bob") as other:
        assert other.get(link).status_code == 403
    wanted = {"link": link, "scope": "call", "reason": REASON}
    assert desk.ask("bob", "POST", "/api/elevations", json=wanted).status_code == 400
    assert desk.ask("ann", "POST", "/api/elevations", json=wanted).status_code == 201
    desk.clock.write_text("3601")
    with Browser(desk.instance, "ann") as late:
        assert late.get(link).status_code == 404


def test_the_shell_shows_the_way_and_goes_it(desk: Office) -> None:
    at = ("--url", desk.instance.url, "-o", "json")
    ann = (*at, "--key", desk.keys["ann"])
    bob = (*at, "--key", desk.keys["bob"])
    refused = bascule_here("call", TOOL, "order=7", "amount=120", *ann)
    assert refused.code == 6
    assert refused.error["code"] == "E1012"
    assert refused.error["details"]["elevation_url"] in refused.error["message"]
    command = f"bascule elevation request {TOOL} order=7 amount=120"
    assert command in refused.error["message"]
    made = bascule_here(*command.split()[1:], "--reason", REASON, *ann)
    assert made.code == 0, made.err
    request = json.loads(made.out)["elevation_id"]
    assert bascule_here("elevation", "approve", request, *ann).code == 6
    assert bascule_here("elevation", "show", request, *bob).value["history"]
    approved = bascule_here("elevation", "approve", request, "--minutes", "3", *bob)
    assert approved.value["minutes"] == 3
    done = bascule_here("call", TOOL, "order=7", "amount=120", *ann)
    assert done.value == {"refunded": True}
    assert bascule_here("call", TOOL, "order=7", "amount=120", *ann).code == 6


def test_every_step_is_on_record_and_the_record_holds(desk: Office) -> None:
    desk.works("ann")
    granted = desk.grant("ann", scope="call", arguments=CALL)
    desk.works("ann")
    denied = desk.wish("ann")
    desk.decide("bob", "deny", denied, comment="No.")
    ended = desk.grant("ann")
    desk.decide("bob", "revoke", ended)
    cancelled = desk.wish("ann")
    assert desk.ask("ann", "POST", f"/api/elevations/{cancelled['elevation_id']}/cancel").is_success
    records = desk.records(user="ann") + desk.records(user="bob")
    actions = {one["action"] for one in records if one["event_type"] == "elevation"}
    assert {
        f"elevation.{step}"
        for step in ("requested", "approved", "denied", "revoked", "cancelled", "used")
    } <= actions
    calls = [one for one in records if one["event_type"] == "tool_call"]
    assert {"denied", "success"} <= {one["status"] for one in calls}
    passed = next(one for one in calls[::-1] if one["status"] == "success")
    assert granted["elevation_id"] in json.dumps(passed["metadata"])
    verified = bascule_here("audit", "verify", "--data", desk.instance.data, "-o", "json")
    assert verified.code == 0, verified.err


def test_leave_outlives_a_restart_and_what_was_used_up_does_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with office(data) as first:
        first.grant("ann")
        first.grant("eve", scope="call", arguments=CALL)
        assert first.works("eve")
        keys, echo_url = first.keys, first.echo.url
        first.instance.stop()
        assert echo_url
        with serving(data) as instance:
            second = Office(instance, first.echo, first.clock, keys)
            assert second.works("ann")
            assert not second.works("eve")


class Manager(Quiet):
    """A privileged identity manager, which knows who is elevated."""

    elevated: ClassVar[set[str]] = set()
    asked: ClassVar[list[dict[str, Any]]] = []
    credentials: ClassVar[set[str | None]] = set()
    is_broken: ClassVar[bool] = False

    def do_POST(self) -> None:
        """Answer whether somebody is elevated."""
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(question)
        self.credentials.add(self.headers.get("authorization"))
        assert self.path == "/api/pim/check-elevation"
        until = {"elevation_expires_at": "2099-01-01T00:00:00Z", "scope": TOOL}
        if Manager.is_broken:
            self.reply(b"oops", 500)
        elif question["user_id"] in self.elevated:
            answer = {"elevated": True, "approval_reference": "CHG-1", **until}
            self.reply(json.dumps(answer).encode())
        else:
            self.reply(json.dumps({"elevated": False, "elevation_url": MANAGED}).encode())


def test_where_a_manager_of_identities_decides_it_alone_is_asked(tmp_path: Path) -> None:
    with answering(Manager) as url:
        settings = {"elevation.pim_url": url, "elevation.pim_token": "manager-token"}
        with office(tmp_path / "data", settings) as desk:
            refused = error_of(desk.call("ann")["result"])
            assert refused["code"] == "E1012"
            assert refused["details"] == {"requires_elevation": True, "elevation_url": MANAGED}
            Manager.is_broken = True
            broken = desk.call("ann", OTHER)["error"]
            assert broken["data"]["code"] == "E5004", "what is not known refuses"
            Manager.is_broken = False
            assert desk.refunds == []
            Manager.elevated.add("ann")
            assert desk.works("ann")
            assert not desk.works("eve")
            (used,) = [one for one in desk.records() if one["action"] == "elevation.used"]
            assert "CHG-1" in json.dumps(used)
    assert Manager.credentials == {"Bearer manager-token"}
    first = Manager.asked[0]
    assert (first["user_id"], first["scope"], first["role"]) == ("ann", TOOL, "user")
