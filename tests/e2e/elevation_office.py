"""A gateway with a tool that needs leave, people who ask and decide, and a clock to move."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx2
import pytest

from bascule.protocol.messages import CAPABILITIES_KEY
from fakes import mcp
from fakes.echo import Echo, echoing, response
from fakes.instances import Instance, post, serving

PASSWORD: Final = "an elk in the attic"
TOOL: Final = "refund"
CALL: Final[dict[str, Any]] = {"order": 7, "amount": 120}
URL_MODE: Final = {"elicitation": {"url": {}}}
REASON: Final = "A customer paid twice."

_MOVED_CLOCK: Final = """
import os, time

_real, _file = time.time, os.environ["MOVED_CLOCK"]

def _moved():
    try:
        with open(_file) as file:
            return _real() + float(file.read() or 0)
    except OSError:
        return _real()

time.time = _moved
"""
"""Grants are held against `time.time`, which the processes of a test read with what it adds."""


def document() -> bytes:
    """An API with an operation that does lasting harm, and one that does none."""
    member = {"type": "integer"}
    body = {"type": "object", "properties": {"order": member, "amount": member}}
    content = {"content": {"application/json": {"schema": body}}}
    answer = {"200": {"description": "x", "content": {"application/json": {"schema": {}}}}}
    refund = {
        "operationId": TOOL,
        "summary": "Refund an order",
        "x-bascule-risk": "privileged",
        "requestBody": content,
        "responses": answer,
    }
    look = {"operationId": "look", "summary": "Look at orders", "responses": answer}
    paths = {"/refunds": {"post": refund}, "/orders": {"get": look}}
    info = {"title": "Desk", "version": "1"}
    return json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}).encode()


@dataclass
class Office:
    """Ann calls, bob may approve, eve may do both, and `bot` is the key of a service.

    What somebody may do when the clock was moved counts again once it is back: that is late's.
    """

    instance: Instance
    echo: Echo
    clock: Path
    keys: dict[str, str] = field(default_factory=dict[str, str])

    def furnish(self) -> None:
        """Bring in the tools and the people."""
        self.echo.answers["/refunds"] = response(b'{"refunded":true}')
        self.instance.publish(document(), "desk", self.echo.url)
        role = {"name": "approver", "permissions": ["elevations:approve"]}
        self.admin("POST", "roles", json=role)
        users, approvers = ["user"], ["approver"]
        people = {"ann": users, "bob": approvers, "eve": approvers + users, "late": users}
        for name, roles in people.items():
            self.admin("POST", "users", json={"name": name, "roles": roles})
            self.admin("POST", f"users/{name}/password", json={"password": PASSWORD})
            self.keys[name] = self._key(f"{name}-key", roles, user=name)
        self.keys["bot"] = self._key("bot", ["user"])

    def _key(self, name: str, roles: list[str], **more: str) -> str:
        return self.admin("POST", "keys", json={"name": name, "roles": roles, **more})["key"]

    def admin(self, method: str, path: str, **options: Any) -> Any:
        """A request of the owner's, which must succeed; gives its JSON."""
        answer = self.ask(None, method, f"/api/admin/{path}", **options)
        assert answer.is_success, answer.text
        return answer.json()

    def ask(self, who: str | None, method: str, path: str, **options: Any) -> httpx2.Response:
        """A request to the REST API with somebody's key; the owner's for None."""
        with self.instance.api(self.keys[who] if who else None) as api:
            return api.request(method, path, **options)

    def call(
        self,
        who: str,
        arguments: Mapping[str, Any] = CALL,
        capabilities: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """tools/call of the stateless era; gives the JSON-RPC answer."""
        meta = {**mcp.META, CAPABILITIES_KEY: dict(capabilities or {})}
        whole = {"name": TOOL, "arguments": dict(arguments), "_meta": meta, **params}
        with self.instance.api(self.keys[who]) as api:
            return api.post("/mcp", **post(mcp.modern("tools/call", whole))).json()

    def legacy_call(
        self, who: str, version: str, capabilities: Mapping[str, Any]
    ) -> dict[str, Any]:
        """tools/call in a session of its own; gives the JSON-RPC answer."""
        client = {"name": "test", "version": "1"}
        wanted = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
        hello = mcp.legacy("initialize", wanted)
        message = mcp.legacy("tools/call", {"name": TOOL, "arguments": CALL})
        with self.instance.api(self.keys[who]) as api:
            session = api.post("/mcp", **post(hello)).headers["mcp-session-id"]
            headers = {"mcp-session-id": session, "mcp-protocol-version": version}
            answer = api.post("/mcp", **post(message, {**headers, "accept": "application/json"}))
            api.delete("/mcp", headers={"mcp-session-id": session})
        return answer.json()

    def works(self, who: str, arguments: Mapping[str, Any] = CALL) -> bool:
        """Whether the call reaches the service; if not, it must be for want of leave."""
        result = self.call(who, arguments)["result"]
        if not result.get("isError"):
            return True
        assert error_of(result)["code"] == "E1012", result
        return False

    def link(self, who: str, arguments: Mapping[str, Any] = CALL) -> str:
        """The address that who calls in vain is given."""
        result = self.call(who, arguments)["result"]
        return error_of(result)["details"]["elevation_url"]

    def wish(self, who: str, **changes: Any) -> dict[str, Any]:
        """Ask by the REST API; gives the request."""
        wanted = {"name": TOOL, "reason": REASON, "minutes": 5, **changes}
        made = self.ask(who, "POST", "/api/elevations", json=wanted)
        assert made.status_code == 201, made.text
        return made.json()

    def decide(
        self, who: str, action: str, request: Mapping[str, Any], **body: Any
    ) -> httpx2.Response:
        """Approve, deny or revoke by the REST API."""
        path = f"/api/admin/elevations/{request['elevation_id']}/{action}"
        return self.ask(who, "POST", path, json=body)

    def grant(self, who: str, **changes: Any) -> dict[str, Any]:
        """All of it: who asks is given leave, by bob."""
        request = self.wish(who, **changes)
        done = self.decide("bob", "approve", request)
        assert done.status_code == 200, done.text
        return done.json()

    def end_all(self) -> None:
        """Leave nothing behind that another test would find."""
        self.clock.write_text("0")
        for status, action in (("pending", "deny"), ("approved", "revoke")):
            found = self.admin("GET", f"elevations?status={status}")["elevations"]
            for one in found:
                assert self.decide("bob", action, one).is_success

    @property
    def refunds(self) -> list[dict[str, Any]]:
        """What the service was asked to do."""
        bodies = (one.body for one in self.echo.received if b"/refunds" in one.line)
        return [json.loads(body) for body in bodies]

    def records(self, **wanted: str) -> list[dict[str, Any]]:
        """Audit records, the oldest first."""
        query = {"limit": 500, **wanted}
        return self.admin("GET", "audit-logs", params=query)["logs"][::-1]


def error_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """The error in a result of a tool."""
    return result["_meta"]["io.bascule/error"]


class Browser:
    """Somebody at the pages."""

    def __init__(self, instance: Instance, name: str = "") -> None:
        self._client = httpx2.Client(base_url=instance.url, timeout=20.0, trust_env=False)
        if name:
            form = self._client.get("/sign-in")
            sent = {"csrf": _token_in(form), "name": name, "password": PASSWORD}
            assert self._client.post("/sign-in", data=sent).status_code == 303

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str) -> httpx2.Response:
        """Open an address of the gateway."""
        return self._client.get(urlsplit(url).path)

    def ask(self, url: str, **changes: str) -> httpx2.Response:
        """Fill in the form behind a link, and send it."""
        page = self.get(url)
        sent = {"reason": REASON, "scope": "call", "minutes": "5", "decision": "ask", **changes}
        path = urlsplit(url).path
        return self._client.post(path, data={"csrf": _token_in(page), **sent})

    def decide(self, path: str, action: str, **sent: str) -> httpx2.Response:
        """Press a button on the page of a request."""
        page = self.get(path)
        return self._client.post(f"{path}/{action}", data={"csrf": _token_in(page), **sent})


def _token_in(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


@contextmanager
def office(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[Office]:
    """Start all of it."""
    folder = data.parent / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_MOVED_CLOCK)
    with pytest.MonkeyPatch.context() as host, echoing() as echo:
        host.setenv("PYTHONPATH", os.fspath(folder))
        host.setenv("MOVED_CLOCK", os.fspath(folder / "added"))
        with serving(data, settings=settings) as instance:
            made = Office(instance, echo, folder / "added")
            made.furnish()
            yield made
