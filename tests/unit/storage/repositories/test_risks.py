"""How tools stand that are privileged, or were."""

from typing import Any

import pytest

from bascule.gateway.tool import (
    Bundle,
    McpSource,
    RiskLevel,
    Tool,
    ToolStatus,
    Upstream,
    UpstreamKind,
)
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.risks import Risks, Standing
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams

Versions = list[tuple[str, str, str]]


async def keep(database: Database, tenant: TenantId, name: str, versions: Versions) -> None:
    async with database.change(author="t") as session:
        await Bundles(session, tenant).get_or_create(Bundle("shop"))
        service = Upstream("shop", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9")
        await Upstreams(session, tenant).upsert(service)
        fields: dict[str, Any] = {"description": "x", "bundle": "shop", "input_schema": {}}
        await Tools(session, tenant).upsert_many(
            [
                Tool(
                    name=name,
                    version=version,
                    risk=RiskLevel(risk),
                    status=ToolStatus(status),
                    source=McpSource("shop", name),
                    **fields,
                )
                for version, risk, status in versions
            ]
        )


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([("1.0.0", "privileged", "active")], (True, False, True, [])),
        (
            [("1.0.0", "write", "deprecated"), ("2.0.0", "privileged", "active")],
            (True, False, True, ["1.0.0"]),
        ),
        (
            [("1.0.0", "privileged", "deprecated"), ("2.0.0", "write", "active")],
            (False, True, True, ["2.0.0"]),
        ),
        (
            [("1.0.0", "privileged", "inactive"), ("2.0.0", "read", "inactive")],
            (True, False, True, []),
        ),
        ([("1.0.0", "privileged", "quarantined")], (True, False, True, [])),
        (
            [("1.0.0", "write", "active"), ("2.0.0", "privileged", "inactive")],
            (False, True, True, ["1.0.0"]),
        ),
        ([("1.0.0", "write", "active"), ("2.0.0", "privileged", "draft")], None),
        ([("1.0.0", "privileged", "draft")], None),
        ([("1.0.0", "write", "active")], None),
    ],
    ids=str,
)
async def test_a_tool_stands_as_its_version_in_force_or_as_the_strictest_one_kept(
    database: Database,
    tenant: TenantId,
    versions: Versions,
    expected: tuple[bool, bool, bool, list[str]] | None,
) -> None:
    await keep(database, tenant, "refund", versions)
    async with database.read() as session:
        found = await Risks(session, tenant).privileged()
    if expected is None:
        assert found == {}
    else:
        assert found == {"refund": Standing(*expected[:3], frozenset(expected[3]))}


async def test_of_what_is_not_kept_nothing_is_known(database: Database, tenant: TenantId) -> None:
    await keep(database, tenant, "look", [("1.0.0", "read", "active"), ("1.1.0", "read", "draft")])
    async with database.read() as session:
        found = await Risks(session, tenant).standings(["look", "gone"])
    expected = Standing(
        is_privileged=False,
        is_mild_in_force=True,
        is_remembered=False,
        milder=frozenset({"1.0.0"}),
    )
    assert found == {"look": expected}


async def test_of_very_many_each_is_found(database: Database, tenant: TenantId) -> None:
    await keep(database, tenant, "tool", [("1.0.0", "privileged", "active")])
    names = [f"none{number}" for number in range(1200)]
    async with database.read() as session:
        assert list(await Risks(session, tenant).standings([*names, "tool"])) == ["tool"]
