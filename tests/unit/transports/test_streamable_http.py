"""The endpoint as a client meets it: a real gateway and pipeline behind it."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.call import EVERYTHING, NOTHING_MORE, Endpoint, EndpointKind, Result
from bascule.gateway.capabilities import NO_CAPABILITIES
from bascule.gateway.errors import UpstreamTimeout
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Certificate, Evidence, Means, Principal
from bascule.gateway.record import EventType, Status
from bascule.protocol.messages import CAPABILITIES_KEY, SERVER_INFO_KEY, VERSION_KEY
from bascule.state.memory import MemoryState
from bascule.transports import disconnect
from bascule.transports.peers import PEER, Peer
from bascule.transports.sessions import Sessions
from bascule.transports.streamable_http import HttpConfig
from fakes.asgi import FakeExchange
from fakes.catalogue import KEY, TENANT, make_snapshot, make_tool
from fakes.executor import FakeExecutor
from fakes.mcp import META, FakeSite, exchange_of, headers_of, legacy, modern
from fakes.recorder import FakeRecorder
from fakes.streams import SEALS

MESSAGES = [modern(), legacy()]
ERAS = pytest.mark.parametrize("message", MESSAGES, ids=["modern", "legacy"])
NO_KEY = {"Authorization": None}


@ERAS
async def test_a_call_is_executed_and_answered(message: dict[str, Any]) -> None:
    site = FakeSite(upstream=FakeExecutor(Result({"content": [{"type": "text", "text": "hi"}]})))
    exchange = await site.post(message)
    assert exchange.status == 200
    assert set(exchange.headers) == {"content-type", "content-length", "x-correlation-id"}
    assert exchange.headers["content-type"] == "application/json"
    assert exchange.answer["result"]["content"] == [{"type": "text", "text": "hi"}]
    assert len(site.upstream.calls) == 1
    assert site.recorder.last.status is Status.SUCCESS


# Worst first. Each request has all the faults from its row down, and gets the status of its row.
FAULTS: list[tuple[int, dict[str, str | None]]] = [
    (403, {"Origin": "http://evil.com"}),
    (405, {":method": "GET"}),
    (415, {"Content-Type": "text/plain"}),
    (406, {"Accept": "text/html"}),
    (401, {"Authorization": None}),
    (400, {}),
]


@pytest.mark.parametrize("row", range(len(FAULTS)))
async def test_faults_are_told_in_order(row: int) -> None:
    """A stranger learns nothing about the message: 401 comes before any parse error."""
    faults: dict[str, str | None] = {}
    for _, fault in FAULTS[row:]:
        faults |= fault
    method = faults.pop(":method", "POST")
    exchange = exchange_of(b"this is no JSON", faults)
    exchange.scope["method"] = method
    site = FakeSite()
    await site.play(exchange)
    assert exchange.status == FAULTS[row][0]
    assert "id" not in exchange.answer
    assert not site.upstream.calls


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1.evil.com", "http://a@localhost"])
async def test_a_foreign_origin_is_turned_away_unread(origin: str) -> None:
    site, exchange = FakeSite(), exchange_of(modern(), {"Origin": origin})
    await site.play(exchange)
    assert (exchange.status, exchange.answer["error"]["data"]["code"]) == (403, "E1005")
    assert exchange.receives == 0
    assert not site.recorder.records


@pytest.mark.parametrize("header", ["Host", "Origin"])
@pytest.mark.parametrize("first", ["evil.com", "localhost"])
async def test_two_hosts_or_origins_are_turned_away_whichever_comes_last(
    header: str, first: str
) -> None:
    values = [first, "localhost" if first == "evil.com" else "evil.com"]
    scheme = "" if header == "Host" else "http://"
    exchange = exchange_of(modern(), {header: None})
    exchange.scope["headers"] += [
        (header.lower().encode(), f"{scheme}{value}".encode()) for value in values
    ]
    assert (await FakeSite().play(exchange)).status == 403


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
async def test_only_post_is_allowed(method: str) -> None:
    exchange = FakeExchange(headers=headers_of({}).items(), method=method)
    await FakeSite().play(exchange)
    assert exchange.status == 405
    assert exchange.headers["allow"] == "POST"
    assert "mcp-session-id" not in exchange.headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
        ("application/jsonp", 415),
        ("text/plain; application/json", 415),
        (None, 415),
    ],
)
async def test_only_json_is_read(kind: str | None, status: int) -> None:
    """A form of a web page can be sent anywhere; it cannot have this type."""
    assert (await FakeSite().post(modern(), {"Content-Type": kind})).status == status


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json, text/event-stream", 200),
        ("text/event-stream,Application/JSON;q=0.9", 200),
        ("*/*", 200),
        ("application/*", 200),
        (None, 200),
        ("text/event-stream", 406),
        ("text/html", 406),
        ("", 406),
    ],
)
async def test_an_answer_in_json_must_be_acceptable(accept: str | None, status: int) -> None:
    assert (await FakeSite().post(modern(), {"Accept": accept})).status == status


async def test_a_body_over_the_bound_is_told_the_bound_if_the_caller_is_known() -> None:
    site = FakeSite(config=HttpConfig(max_body_bytes=100))
    exchange = await site.post(b" " * 101)
    assert (exchange.status, exchange.answer["error"]["data"]["details"]) == (
        413,
        {"max_body_bytes": 100},
    )
    assert exchange.headers["connection"] == "close"
    assert (await site.post(b" " * 101, NO_KEY)).status == 401
    assert [record.error_code for record in site.recorder.records] == ["E2006", "E1001"]


@ERAS
@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "E1001"),
        ("", "E1001"),
        ("Bearer", "E1001"),
        ("Bearer ", "E1001"),
        (f"Basic {KEY}", "E1001"),
        (KEY, "E1001"),
        (f"Bearer{KEY}", "E1001"),
        ("Bearer wrong", "E1002"),
        (f"Bearer {KEY} {KEY}", "E1002"),
        (f"Bearer {KEY},Bearer {KEY}", "E1002"),
        ("Bearer " + "x" * 10_000, "E1002"),
    ],
)
async def test_an_unknown_caller_is_refused_and_recorded(
    message: dict[str, Any], header: str | None, code: str
) -> None:
    site = FakeSite()
    exchange = await site.post(message, {"Authorization": header})
    assert (exchange.status, exchange.answer["error"]["data"]["code"]) == (401, code)
    assert exchange.headers["www-authenticate"].startswith("Bearer")
    assert exchange.answer["id"] == 1
    assert not site.upstream.calls
    [record] = site.recorder.records
    assert (record.event_type, record.status) == (EventType.AUTH_EVENT, Status.DENIED)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_case_insensitive(scheme: str) -> None:
    """RFC 9110 section 11.1."""
    assert (await FakeSite().post(modern(), {"Authorization": f"{scheme}  {KEY} "})).status == 200


async def test_a_key_in_the_address_is_not_a_key() -> None:
    exchange = exchange_of(modern(), NO_KEY)
    exchange.scope["query_string"] = f"access_token={KEY}&key={KEY}".encode()
    assert (await FakeSite().play(exchange)).status == 401
    assert exchange.headers["www-authenticate"] == 'Bearer realm="bascule"'
    assert "address" in exchange.answer["error"]["message"]


async def test_a_credential_beside_another_makes_the_request_a_bad_one() -> None:
    twice, both = exchange_of(modern()), exchange_of(modern())
    twice.scope["headers"].append((b"authorization", f"Bearer {KEY}".encode()))
    both.scope["query_string"] = f"apikey={KEY}".encode()
    for exchange in (twice, both):
        site = FakeSite()
        assert (await site.play(exchange)).status == 400
        assert KEY.encode() not in exchange.body
        assert not site.recorder.records


LIMITED = Principal(
    TENANT,
    "ann",
    frozenset({"user"}),
    frozenset({"tools:list"}),
    withheld=frozenset({"tools:execute"}),
    evidence=Evidence(Means.TOKEN, TENANT, "https://id.example", "0815", "ann"),
)
ISSUER = Issuer(
    "id",
    "https://id.example",
    TENANT,
    scopes={"see": ("tools:list",), "use": ("tools:list", "tools:execute")},
)
METADATA = "http://localhost:8080/.well-known/oauth-protected-resource"


def site_with_issuer(principal: Principal | None = None) -> FakeSite:
    snapshot = make_snapshot([make_tool()], principal=principal)
    return FakeSite(replace(snapshot, issuers={ISSUER.issuer: ISSUER}))


@ERAS
async def test_a_stranger_learns_where_tokens_come_from_and_what_for(
    message: dict[str, Any],
) -> None:
    everywhere = await site_with_issuer().post(message, NO_KEY)
    wrong = await site_with_issuer().post(message, {"Authorization": "Bearer a.b.c"})
    desk = Endpoint(EndpointKind.BUNDLE, "desk")
    there = await site_with_issuer().post(message, NO_KEY, desk)
    plain = f'Bearer realm="bascule", resource_metadata="{METADATA}/mcp", scope="use"'
    assert everywhere.headers["www-authenticate"] == plain
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"].startswith(f'{plain}, error="invalid_token"')
    assert f"{METADATA}/mcp/bundles/desk" in there.headers["www-authenticate"]


@ERAS
async def test_a_token_with_too_small_a_scope_gets_a_403_that_names_the_right_one(
    message: dict[str, Any],
) -> None:
    site = site_with_issuer(LIMITED)
    exchange = await site.post(message)
    assert exchange.status == 403
    challenge = exchange.headers["www-authenticate"]
    assert (
        f'resource_metadata="{METADATA}/mcp", scope="use", error="insufficient_scope"' in challenge
    )
    data = exchange.answer["error"]["data"]
    assert (data["code"], data["details"]["scopes"]) == ("E1009", ["use"])
    assert not site.upstream.calls
    assert site.recorder.last.status is Status.DENIED


async def test_with_the_same_token_what_it_is_good_for_works() -> None:
    site = site_with_issuer(LIMITED)
    for message in (modern("tools/list"), modern("server/discover"), legacy("ping")):
        assert (await site.post(message)).status == 200


@ERAS
async def test_a_key_that_is_limited_gets_a_403_and_no_challenge(message: dict[str, Any]) -> None:
    by_key = replace(LIMITED, evidence=None, key_id="k1")
    exchange = await site_with_issuer(by_key).post(message)
    assert exchange.status == 403
    assert "www-authenticate" not in exchange.headers
    assert exchange.answer["error"]["data"]["code"] == "E1009"


@pytest.mark.parametrize(
    ("message", "headers", "status", "rpc_code"),
    [
        (b"{", {}, 400, -32700),
        (b"[" * 100_000, {}, 400, -32700),
        (json.dumps(MESSAGES).encode(), {"MCP-Protocol-Version": "2025-06-18"}, 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', {}, 400, -32600),
        (modern(id=None), {}, 400, -32600),
        (modern(), {"Mcp-Method": None}, 400, -32020),
        (modern(), {"Mcp-Name": "delete_all"}, 400, -32020),
        (modern(), {"MCP-Protocol-Version": "2025-11-25"}, 400, -32020),
        (modern(), {"MCP-Protocol-Version": None}, 400, -32020),
        (modern(params={"name": "a", "_meta": {VERSION_KEY: "2026-07-28"}}), {}, 400, -32602),
        (modern(params={"name": "a", "_meta": {**META, VERSION_KEY: "1900"}}), {}, 400, -32022),
        (modern("resources/list"), {}, 404, -32601),
        (legacy("resources/list"), {}, 200, -32601),
        (modern(params={"name": "no_such_tool"}), {}, 200, -32602),
        (legacy(params={"name": "no_such_tool"}), {}, 200, -32602),
        (modern("tools/list", {"cursor": "!!!"}), {}, 200, -32602),
    ],
    ids=str,
)
async def test_each_fault_has_its_status_and_code(
    message: Any, headers: dict[str, str | None], status: int, rpc_code: int
) -> None:
    site = FakeSite()
    exchange = await site.post(message, headers)
    assert (exchange.status, exchange.answer["error"]["code"]) == (status, rpc_code)
    assert not site.upstream.calls
    assert len(site.recorder.records) == 1
    assert (await site.post(message, {**headers, **NO_KEY})).status == 401


@pytest.mark.parametrize("header", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
async def test_a_repeated_standard_header_is_a_mismatch(header: str) -> None:
    exchange = exchange_of(modern())
    key = header.lower().encode()
    exchange.scope["headers"] += [pair for pair in exchange.scope["headers"] if pair[0] == key]
    await FakeSite().play(exchange)
    assert (exchange.status, exchange.answer["error"]["code"]) == (400, -32020)
    assert exchange.answer["id"] == 1


async def test_a_missing_capability_declaration_is_named() -> None:
    meta = {VERSION_KEY: "2026-07-28"}
    exchange = await FakeSite().post(modern("tools/list", {"_meta": meta}))
    assert CAPABILITIES_KEY in exchange.answer["error"]["message"]


async def test_a_refused_version_is_offered_only_what_discover_also_names() -> None:
    site = FakeSite()
    refused = await site.post(modern(params={"name": "a", "_meta": {**META, VERSION_KEY: "1900"}}))
    data = refused.answer["error"]["data"]
    discovered = await site.post(modern("server/discover"))
    assert data["requested"] == "1900"
    assert data["supported"]
    assert set(data["supported"]) <= set(discovered.answer["result"]["supportedVersions"])


async def test_discover_introduces_the_server() -> None:
    result = (await FakeSite().post(modern("server/discover"))).answer["result"]
    assert result["capabilities"] == {"tools": {}}
    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == (
        "complete",
        0,
        "private",
    )
    assert result["_meta"][SERVER_INFO_KEY]["name"] == "bascule"


@pytest.mark.parametrize(
    ("requested", "agreed"),
    [("2025-06-18", "2025-06-18"), ("2026-07-28", "2025-11-25"), ("1900-01-01", "2025-11-25")],
)
async def test_a_legacy_client_shakes_hands_and_gets_no_session(
    requested: str, agreed: str
) -> None:
    site = FakeSite()
    exchange = await site.post(legacy("initialize", {"protocolVersion": requested}))
    assert exchange.status == 200
    assert exchange.answer["result"]["protocolVersion"] == agreed
    assert "resultType" not in exchange.answer["result"]
    assert "mcp-session-id" not in exchange.headers


async def test_a_session_id_nobody_gave_is_ignored() -> None:
    assert (await FakeSite().post(legacy(), {"Mcp-Session-Id": "stolen"})).status == 200


@pytest.mark.parametrize("message_id", [0, 1, -1, 2**64, 1.5, "", "a", "1", "é\n\u2028"])
@ERAS
async def test_the_id_is_echoed_exactly(message: dict[str, Any], message_id: Any) -> None:
    site = FakeSite()
    for params in (message["params"], {**message["params"], "name": "no_such_tool"}):
        exchange = await site.post({**message, "id": message_id, "params": params})
        assert exchange.answer["id"] == message_id
        assert type(exchange.answer["id"]) is type(message_id)


@ERAS
async def test_a_failure_of_the_tool_is_a_result_the_model_can_read(
    message: dict[str, Any],
) -> None:
    failure = UpstreamTimeout("Too slow; try later.", private="http://10.0.0.7 hung")
    site = FakeSite(upstream=FakeExecutor(error=failure))
    exchange = await site.post(message)
    result = exchange.answer["result"]
    assert (exchange.status, result["isError"]) == (200, True)
    assert result["content"][0]["text"] == "E4002: Too slow; try later."
    assert b"10.0.0.7" not in exchange.body
    assert site.recorder.last.error_message == "http://10.0.0.7 hung"


@ERAS
async def test_arguments_that_do_not_fit_are_a_result_the_model_can_read(
    message: dict[str, Any],
) -> None:
    schema = {"type": "object", "required": ["day"], "properties": {"day": {"type": "integer"}}}
    site = FakeSite(make_snapshot([make_tool(input_schema=schema)]))
    exchange = await site.post(message)
    assert exchange.answer["result"]["isError"] is True
    assert "day" in exchange.answer["result"]["content"][0]["text"]
    assert not site.upstream.calls


@pytest.mark.parametrize("version", [None, "2025-11-25", "2026-07-28"])
async def test_a_notification_is_accepted_without_a_word(version: str | None) -> None:
    site = FakeSite()
    message = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "get_slots"}}
    exchange = await site.post(message, {"MCP-Protocol-Version": version})
    assert (exchange.status, exchange.body) == (202, b"")
    assert not site.upstream.calls


@pytest.mark.parametrize(
    ("message", "headers", "status"),
    [
        ({"jsonrpc": "2.0", "method": "x"}, NO_KEY, 401),
        ({"jsonrpc": "2.0", "method": "x", "params": []}, {}, 400),
        ({"jsonrpc": "1.0", "method": "x"}, {}, 400),
    ],
)
async def test_a_notification_that_is_not_accepted_gets_an_error_status(
    message: dict[str, Any], headers: dict[str, str | None], status: int
) -> None:
    exchange = await FakeSite().post(message, headers)
    assert exchange.status == status
    assert "id" not in exchange.answer


async def test_an_endpoint_serves_its_slice_only() -> None:
    site = FakeSite(make_snapshot([make_tool(), make_tool("get_cars", bundle="fleet")]))
    fleet = Endpoint(EndpointKind.BUNDLE, "fleet")
    listed = await site.post(modern("tools/list"), endpoint=fleet)
    assert [tool["name"] for tool in listed.answer["result"]["tools"]] == ["get_cars"]
    assert (await site.post(modern(), endpoint=fleet)).answer["error"]["code"] == -32602
    assert not site.upstream.calls


async def test_a_failed_record_withholds_the_answer() -> None:
    site = FakeSite(
        upstream=FakeExecutor(Result({"content": ["secret"]})), recorder=FakeRecorder(fails=True)
    )
    exchange = await site.post(modern())
    assert (exchange.status, exchange.answer["error"]["data"]["code"]) == (503, "E5004")
    assert exchange.headers["retry-after"] == "5"
    assert b"secret" not in exchange.body


@pytest.mark.parametrize("given", ["abc-123_X", "a" * 128])
@ERAS
async def test_a_well_formed_correlation_id_is_kept(message: dict[str, Any], given: str) -> None:
    site = FakeSite()
    exchange = await site.post(message, {"X-Correlation-ID": given})
    assert exchange.headers["x-correlation-id"] == given
    assert site.recorder.last.correlation_id == given


@pytest.mark.parametrize("given", ["a\r\nSet-Cookie: x=1", "a" * 4096, "", "a b", "é", "<b>"])
async def test_a_hostile_correlation_id_is_replaced(given: str) -> None:
    site = FakeSite()
    exchange = await site.post(modern(), {"X-Correlation-ID": given})
    made = exchange.headers["x-correlation-id"]
    assert made != given
    assert made.replace("-", "").isalnum()
    assert site.recorder.last.correlation_id == made


async def test_two_calls_have_two_correlation_ids() -> None:
    site = FakeSite()
    ids = {(await site.post(modern())).headers["x-correlation-id"] for _ in range(2)}
    assert len(ids) == 2


async def test_a_call_has_a_deadline_an_endpoint_a_peer_and_no_secret() -> None:
    site = FakeSite(config=HttpConfig(request_timeout_seconds=7.0))
    exchange = exchange_of(modern())
    await site.play(exchange)
    [call] = site.upstream.calls
    assert call.deadline - call.arrived == pytest.approx(7.0)
    assert (call.peer, call.endpoint, call.credential) == ("127.0.0.1", Endpoint(), None)
    assert call.request_bytes == len(json.dumps(modern()))
    assert KEY not in repr(call)


async def test_a_listener_without_peer_address_serves_too() -> None:
    exchange = exchange_of(modern())
    exchange.scope["client"] = None
    assert (await FakeSite().play(exchange)).status == 200


async def test_a_client_that_leaves_before_its_body_is_complete_gets_nothing() -> None:
    site = FakeSite()
    exchange = FakeExchange(b"{", headers=headers_of({}).items(), complete=False)
    exchange.hang_up()
    await site.play(exchange)
    assert exchange.sent == []
    assert not site.recorder.records


async def test_a_disconnect_cancels_a_modern_call_and_not_a_legacy_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sources: basic/patterns/cancellation; 2025-11-25 basic/transports.

    Both hang up at once. The legacy call started first, so when the modern one is seen to be
    cancelled, the legacy one had at least as long to be noticed.
    """
    monkeypatch.setattr(disconnect, "_SWEEP_SECONDS", 0.0)
    release = asyncio.Event()
    old_site = FakeSite(upstream=FakeExecutor(release=release))
    new_site = FakeSite(upstream=FakeExecutor(release=asyncio.Event()))
    old, new = exchange_of(legacy()), exchange_of(modern())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(old_site.play(old))
        await old_site.upstream.started.wait()
        tasks.create_task(new_site.play(new))
        await new_site.upstream.started.wait()
        old.hang_up()
        new.hang_up()
        await new_site.recorder.appended.wait()
        assert not old_site.recorder.records
        release.set()
    assert new.sent == []
    assert new_site.recorder.last.status is Status.CANCELLED
    assert old.status == 200
    assert old_site.recorder.last.status is Status.SUCCESS
    assert old.receives == 1, "nobody listens for a disconnect that means nothing"


async def test_a_plain_modern_call_costs_nothing_that_streams_and_sessions_need() -> None:
    """No backchannel, no parameters but its own, and no store, whatever headers it brings."""
    site = FakeSite(sessions=Sessions(SEALS, FakeStore()))
    exchange = await site.post(modern(), {"Mcp-Session-Id": "ignored"})
    assert exchange.status == 200
    [call] = site.upstream.calls
    assert call.more is NOTHING_MORE
    assert call.back is None
    assert call.capabilities is NO_CAPABILITIES
    assert call.headers is not None
    assert call.headers[b"authorization"] == b"", "whoever looks into them finds no secret"


class FakeStore(MemoryState):
    """A store that must not be asked."""

    async def get(self, key: str) -> bytes | None:
        raise AssertionError(key)


async def test_a_call_has_the_certificate_of_the_connection_and_the_host_it_was_sent_to() -> None:
    site = FakeSite()
    peer = Peer("10.0.0.9", Certificate("CN=desk", "CN=ca", "00"))
    exchange = exchange_of(modern())
    exchange.scope[PEER] = peer

    await site.play(exchange)

    (call,) = site.upstream.calls
    assert (call.peer, call.certificate, call.host) == ("10.0.0.9", peer.certificate, "localhost")


async def test_the_same_head_of_another_peer_is_another_head() -> None:
    head = [(name.lower().encode(), value.encode()) for name, value in headers_of(modern()).items()]
    judge = FakeSite().http.judge
    one, other = (judge(EVERYTHING, "POST", head, Peer(name)) for name in ("10.0.0.1", "10.0.0.2"))
    assert (one.origin, other.origin) == (Peer("10.0.0.1"), Peer("10.0.0.2"))
