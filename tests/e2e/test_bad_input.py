"""Wrong requests over real HTTP: each refused under its code, in a sentence that helps."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from bascule.protocol.messages import VERSION_KEY
from fakes import mcp
from fakes.errors import rest_error, rpc_error
from fakes.hostile import Hostile
from fakes.instances import Instance, post

RULE = {"name": "x", "roles": ["user"]}
JSON = {"content-type": "application/json"}
HEADERS = post(mcp.modern("tools/list"))["headers"]


@pytest.fixture
def client(narrow: Instance) -> Iterator[httpx2.Client]:
    with narrow.api() as client:
        yield client


@pytest.mark.parametrize(
    ("body", "rpc_code", "code", "sentence"),
    [
        (b'{"jsonrpc":', -32700, "E2005", "not valid JSON"),
        (b"\xff\xfe", -32700, "E2005", "not valid JSON"),
        (b"[" * 20_000, -32700, "E2005", "not valid JSON"),
        (b"[]", -32600, "E2001", "send one message per request"),
        (b'"hello"', -32600, "E2001", "is a JSON object"),
        (b'{"jsonrpc":"1.0","method":"ping","id":1}', -32600, "E2001", '"jsonrpc" must be "2.0"'),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', -32600, "E2001", "awaits no responses"),
    ],
)
def test_a_body_that_is_no_message_is_refused(
    client: httpx2.Client, body: bytes, rpc_code: int, code: str, sentence: str
) -> None:
    error = rpc_error(client.post("/mcp", content=body, headers=HEADERS), 400, rpc_code)

    assert error["data"]["code"] == code
    assert sentence in error["message"]


def test_a_body_of_another_content_type_is_refused(client: httpx2.Client) -> None:
    answer = client.post("/mcp", content=b"{}", headers={**HEADERS, "Content-Type": "text/plain"})

    error = rpc_error(answer, 415, -32600)
    assert error["data"]["code"] == "E2007"
    assert "Content-Type: application/json" in error["message"]


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "OPTIONS"])
def test_mcp_is_spoken_by_post_and_streams_of_sessions_by_get(
    client: httpx2.Client, verb: str
) -> None:
    answer = client.request(verb, "/mcp")

    assert rpc_error(answer, 405, -32600)["data"]["code"] == "E2001"
    assert answer.headers["allow"] == "POST, GET, DELETE"


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
def test_a_stream_or_an_end_needs_a_session(client: httpx2.Client, verb: str) -> None:
    answer = client.request(verb, "/mcp", headers={"Accept": "text/event-stream"})

    assert rpc_error(answer, 400, -32600)["data"]["code"] == "E2013"


@pytest.mark.parametrize("claimed", [True, False], ids=["content-length", "chunked"])
def test_an_oversize_body_is_refused_whether_or_not_it_says_its_size(
    client: httpx2.Client, claimed: bool
) -> None:
    pieces = [b"x" * 4096] * 20
    content = b"".join(pieces) if claimed else iter(pieces)

    error = rpc_error(client.post("/mcp", content=content, headers=HEADERS), 413, -32600)

    assert error["data"]["code"] == "E2006"
    assert "larger than 65536 bytes" in error["message"]
    assert "server.max_body_bytes" in error["message"]


def test_an_unknown_method_is_refused_by_name(client: httpx2.Client) -> None:
    error = rpc_error(client.post("/mcp", **post(mcp.modern("tools/destroy"))), 404, -32601)

    assert error["data"]["code"] == "E2010"
    assert error["message"] == "Method not found: tools/destroy"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"Mcp-Method": "tools/list"}, "Mcp-Method is 'tools/list' but the body says 'tools/call'"),
        ({"Mcp-Name": "wait"}, "Mcp-Name is 'wait' but the body says 'fine'"),
        ({"Mcp-Name": None}, "the required header Mcp-Name is missing"),
        ({"Mcp-Name": "=?base64?!?="}, "cannot be decoded"),
        ({"MCP-Protocol-Version": "2025-11-25"}, "MCP-Protocol-Version is '2025-11-25'"),
    ],
)
def test_a_header_that_contradicts_the_body_is_refused(
    client: httpx2.Client, hostile: Hostile, changed: dict[str, str | None], sentence: str
) -> None:
    before = len(hostile.requests)
    message = mcp.modern("tools/call", {"name": "fine", "arguments": {}})

    error = rpc_error(client.post("/mcp", **post(message, changed)), 400, -32020)

    assert error["data"]["code"] == "E2008"
    assert sentence in error["message"]
    assert len(hostile.requests) == before


def test_an_unspoken_version_is_refused_with_those_that_are_spoken(client: httpx2.Client) -> None:
    message = mcp.modern("tools/list")
    message["params"]["_meta"] = {**mcp.META, VERSION_KEY: "2031-01-01"}

    error = rpc_error(client.post("/mcp", **post(message)), 400, -32022)

    assert error["data"]["code"] == "E2009"
    assert error["data"]["requested"] == "2031-01-01"
    assert error["data"]["supported"][:2] == ["2026-07-28", "2025-11-25"]


@pytest.mark.parametrize("build", [mcp.modern, mcp.legacy])
def test_an_unknown_tool_is_refused_with_the_one_that_was_meant(
    client: httpx2.Client, build: Any
) -> None:
    message = build("tools/call", {"name": "fien", "arguments": {}})

    error = rpc_error(client.post("/mcp", **post(message)), 200, -32602)

    assert error["data"]["code"] == "E3001"
    assert error["message"] == "Unknown tool: fien. Did you mean fine?"


def test_a_tool_out_of_reach_looks_like_one_that_does_not_exist(
    narrow: Instance, client: httpx2.Client
) -> None:
    wanted = {"name": "a stranger", "roles": ["viewer"]}
    stranger = client.post("/api/admin/keys", json=wanted).json()["key"]

    hidden = rpc_error(narrow.call("fine", key=stranger), 200, -32602)
    absent = rpc_error(narrow.call("nope", key=stranger), 200, -32602)

    assert hidden["message"].replace("fine", "nope") == absent["message"]
    assert hidden["data"]["code"] == absent["data"]["code"] == "E3001"
    assert "details" not in hidden["data"]


def test_wrong_arguments_are_named_by_path_and_reason_and_never_sent(
    narrow: Instance, hostile: Hostile
) -> None:
    before = len(hostile.requests)

    result = narrow.call("fine", color="red").json()["result"]

    error = result["_meta"]["io.bascule/error"]
    (violation,) = error["details"]["violations"]
    assert result["isError"] is True
    assert error["code"] == "E2002"
    assert violation["path"] == ""
    assert "'color' was unexpected" in violation["reason"]
    assert result["content"][0]["text"].startswith("E2002: The arguments do not fit fine: ")
    assert len(hostile.requests) == before


def test_arguments_that_are_no_object_are_refused(client: httpx2.Client) -> None:
    message = mcp.modern("tools/call", {"name": "fine", "arguments": [1]})

    error = rpc_error(client.post("/mcp", **post(message)), 200, -32602)

    assert error["data"]["code"] == "E2004"
    assert "must be a JSON object" in error["message"]


@pytest.mark.parametrize(
    ("path", "sent", "status", "code", "sentence"),
    [
        ("keys", {"content": b"{", "headers": JSON}, 400, "E2005", "cannot be read as JSON"),
        ("keys", {"json": {"roles": ["user"]}}, 400, "E2003", "body.name"),
        ("keys", {"json": {"name": "x", "roles": ["emperor"]}}, 400, "E2004", "emperor"),
        (
            "keys",
            {"content": b"a=b", "headers": {"content-type": "text/plain"}},
            415,
            "E2007",
            "application/json",
        ),
        ("keys", {"content": b" " * 1_100_000, "headers": JSON}, 413, "E2006", "larger than"),
        ("policies", {"json": {**RULE, "effect": "perhaps"}}, 400, "E2004", "effect"),
        ("tools/nope/publish", {}, 404, "E2011", "nope"),
        ("openapi", {"data": {"bundle_id": "x"}}, 400, "E2003", "body.file"),
        (
            "openapi",
            {"data": {"bundle_id": "../x"}, "files": {"file": b"{}"}},
            400,
            "E2004",
            "bundle_id",
        ),
        (
            "openapi",
            {"data": {"bundle_id": "x"}, "files": {"file": b"\0\1"}},
            400,
            "E2001",
            "cannot be read",
        ),
        ("bundles", {"json": {"name": "hostile"}}, 409, "E2012", "hostile"),
    ],
)
def test_a_wrong_request_to_the_rest_api_is_refused(
    client: httpx2.Client, path: str, sent: dict[str, Any], status: int, code: str, sentence: str
) -> None:
    error = rest_error(client.post(f"/api/admin/{path}", **sent), status)

    assert error["code"] == code
    assert sentence in error["message"]


def test_a_wrong_path_or_verb_of_the_rest_api_says_where_to_look(client: httpx2.Client) -> None:
    nowhere = rest_error(client.get("/api/admin/tolls"), 404)
    verb = client.put("/api/admin/tools")

    assert nowhere["code"] == "E2011"
    assert "/api/openapi.json lists every path" in nowhere["message"]
    assert rest_error(verb, 405)["code"] == "E2001"
    assert verb.headers["allow"] == "GET"


def test_a_caller_s_correlation_id_is_kept_and_a_forged_one_is_not(narrow: Instance) -> None:
    with narrow.api() as client:
        ids = [
            client.post("/mcp", **_listing({"X-Correlation-ID": given})).headers["x-correlation-id"]
            for given in ("mine-1_a", "forged; id=1", "x" * 129)
        ]

    assert ids[0] == "mine-1_a"
    assert "forged" not in ids[1]
    assert len(ids[2]) < 129


def _listing(changed: dict[str, str | None]) -> dict[str, Any]:
    return post(mcp.modern("tools/list"), changed)
