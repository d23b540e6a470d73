"""A registry of many tools: `python -m bench.registry --data DIR [--tools N] [--rules N]`.

Makes up plausible tools of many services, and rules, the same ones every time, and stores them as
an import would. A gateway started on the same directory or database then serves them.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bascule.gateway.tool import (
    Bundle,
    ParameterLocation,
    RestBody,
    RestParameter,
    RestSource,
    RiskLevel,
    Tool,
    ToolStatus,
    Upstream,
    UpstreamKind,
)
from bascule.storage.database import Database, open_database
from bascule.storage.documents import PolicyState
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults
from bench.rules import make_rules

TOOLS_PER_SERVICE: Final = 500
MOST_SECONDS_PER_TOOL: Final = 0.005
"""How long storing a tool or rule may take: ten times what it does."""
_TOOLS_PER_CHANGE: Final = 500
_AUTHOR: Final = "bench"
_NOWHERE: Final = "http://127.0.0.1:9"
"""Where all services are: nothing listens there, and no name has to be looked up."""

_VERBS: Final = {
    "get": ("GET", RiskLevel.READ),
    "list": ("GET", RiskLevel.READ),
    "search": ("GET", RiskLevel.READ),
    "create": ("POST", RiskLevel.WRITE),
    "update": ("PUT", RiskLevel.WRITE),
    "assign": ("POST", RiskLevel.WRITE),
    "cancel": ("POST", RiskLevel.WRITE),
    "delete": ("DELETE", RiskLevel.PRIVILEGED),
}
_NOUNS: Final = (
    "account", "address", "agreement", "alert", "asset", "batch", "booking", "branch", "budget",
    "campaign", "carrier", "case", "catalogue", "claim", "contact", "contract", "coupon",
    "customer", "dealer", "delivery", "device", "discount", "document", "driver", "employee",
    "enquiry", "estimate", "expense", "feature", "fleet", "forecast", "grant", "incident",
    "inspection", "inventory", "invoice", "ledger", "lease", "licence", "loan", "location",
    "member", "message", "meter", "notice", "offer", "order", "parcel", "part", "payment",
    "permit", "policy", "price", "product", "project", "quote", "receipt", "refund", "region",
    "repair", "report", "reservation", "route", "schedule", "shift", "shipment", "slot", "stock",
    "subscription", "supplier", "survey", "task", "team", "ticket", "transfer", "trip", "vehicle",
    "vendor", "visit", "voucher", "warehouse", "warranty", "workshop",
)  # fmt: skip
_ASPECTS: Final = (
    "", "history", "status", "notes", "owner", "rating", "summary", "totals", "limits", "events",
)  # fmt: skip
_DOMAINS: Final = ("sales", "service", "finance", "logistics", "people", "insurance", "platform")
_TAGS: Final = ("internal", "public", "beta", "legacy", "reporting", "mobile", "partner", "pii")
_FIELDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("id", {"type": "string", "description": "Identifier, as the list gives it.", "maxLength": 64}),
    ("city", {"type": "string", "description": "Name of the city, in English.", "maxLength": 80}),
    ("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 20}),
    ("cursor", {"type": "string", "description": "Where the last page ended."}),
    ("since", {"type": "string", "format": "date-time", "description": "Changed after this."}),
    ("amount", {"type": "number", "minimum": 0, "description": "In the account's currency."}),
    ("currency", {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code."}),
    ("state", {"type": "string", "enum": ["open", "active", "paused", "closed", "archived"]}),
    ("include_archived", {"type": "boolean", "description": "Whether to show archived ones too."}),
    ("labels", {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 20}),
    ("email", {"type": "string", "format": "email", "description": "Where answers are sent."}),
    ("note", {"type": "string", "description": "Free text for colleagues.", "maxLength": 2000}),
    (
        "address",
        {
            "type": "object",
            "description": "A postal address.",
            "properties": {
                "line": {"type": "string", "maxLength": 120},
                "district": {"type": "string", "maxLength": 80},
                "postal_code": {"type": "string", "pattern": "^[0-9A-Z -]{3,10}$"},
                "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
            },
            "required": ["line", "country"],
        },
    ),
    (
        "items",
        {
            "type": "array",
            "description": "What it is made up of.",
            "items": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string", "maxLength": 40},
                    "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
                    "price": {"type": "number", "minimum": 0},
                },
                "required": ["sku", "quantity"],
                "additionalProperties": False,
            },
        },
    ),
)


def service_of(number: int) -> str:
    """The name of the service, and bundle, that tool `number` belongs to."""
    service = number // TOOLS_PER_SERVICE
    return f"{_DOMAINS[service % len(_DOMAINS)]}-{service:04}"


def make_tools(count: int, first: int = 0) -> Iterator[Tool]:
    """`count` tools from number `first` on; a number always gives the same tool."""
    return map(_tool, range(first, first + count))


def _tool(number: int) -> Tool:
    chance = random.Random(number)
    verb, (method, risk) = chance.choice(tuple(_VERBS.items()))
    noun, aspect = chance.choice(_NOUNS), chance.choice(_ASPECTS)
    fields = dict(chance.sample(_FIELDS, chance.randint(2, 9)))
    subject = f"{noun}_{aspect}" if aspect else noun
    service = service_of(number)
    path = f"/v1/{noun}s/{{id}}" + (f"/{aspect}" if aspect else "")
    fields = {"id": dict(_FIELDS)["id"], **fields}
    return Tool(
        name=f"{verb}_{subject}_{number:06}",
        description=_description(verb, noun, aspect, service, chance),
        bundle=service,
        source=RestSource(
            service, method, path, _parameters(method, fields), _body(method, fields)
        ),
        input_schema={
            "type": "object",
            "properties": fields,
            "required": ["id"],
            "additionalProperties": False,
        },
        output_schema=_output_schema(chance) if chance.random() < 0.6 else None,
        risk=risk,
        status=ToolStatus.ACTIVE,
        tags=tuple(sorted(chance.sample(_TAGS, chance.randint(0, 3)))),
        domain=service.partition("-")[0],
        owner=f"team-{chance.randint(1, 60)}",
        idempotent=method != "POST",
    )


def _description(verb: str, noun: str, aspect: str, service: str, chance: random.Random) -> str:
    about = f"the {aspect} of a {noun}" if aspect else f"a {noun}"
    more = " and ".join(f"its {word}" for word in chance.sample(_NOUNS, 3))
    return (
        f"{verb.capitalize()} {about}, by the identifier that the list of {noun}s gives, together "
        f"with {more}. Answers come from the {service} service; changes are seen within a minute."
    )


def _parameters(method: str, fields: dict[str, Any]) -> tuple[RestParameter, ...]:
    path = RestParameter("id", "id", ParameterLocation.PATH, "simple", explode=False, required=True)
    if method not in {"GET", "DELETE"}:
        return (path,)
    query = (
        RestParameter(name, name, ParameterLocation.QUERY, "form", explode=True)
        for name in fields
        if name != "id"
    )
    return (path, *query)


def _body(method: str, fields: dict[str, Any]) -> RestBody | None:
    if method in {"GET", "DELETE"}:
        return None
    members = {name: name for name in fields if name != "id"}
    return RestBody("application/json", members, required=True)


def _output_schema(chance: random.Random) -> dict[str, Any]:
    fields = dict(chance.sample(_FIELDS, chance.randint(2, 6)))
    return {"type": "object", "properties": fields}


async def fill(database: Database, count: int) -> None:
    """Store the first `count` tools, and what they belong to, in the default tenant."""
    tenant = await _seeded(database)
    for first in range(0, count, _TOOLS_PER_CHANGE):
        tools = tuple(make_tools(min(_TOOLS_PER_CHANGE, count - first), first))
        await _store(database, tenant, tools)


async def rule(database: Database, count: int) -> None:
    """Store the first `count` made-up rules in the default tenant."""
    tenant = await _seeded(database)
    states = {one.name: PolicyState(one) for one in make_rules(count)}
    async with database.change(author=_AUTHOR) as session:
        await Policies(session, tenant).apply(states)


async def _seeded(database: Database) -> TenantId:
    async with database.change(author=_AUTHOR) as session:
        return (await seed_defaults(session)).id


async def _store(database: Database, tenant: TenantId, tools: Sequence[Tool]) -> None:
    async with database.change(author=_AUTHOR) as session:
        for service in sorted({tool.bundle for tool in tools}):
            await Bundles(session, tenant).get_or_create(Bundle(service))
            url = f"{_NOWHERE}/{service}"
            await Upstreams(session, tenant).upsert(Upstream(service, UpstreamKind.REST, url=url))
        await Tools(session, tenant).upsert_many(tools)


@asynccontextmanager
async def _opened(url: str) -> AsyncGenerator[Database]:
    async with open_database(url) as database:
        await migrate(database)
        yield database


async def _run(url: str, count: int, rules: int) -> None:
    began = time.monotonic()
    async with _opened(url) as database:
        await fill(database, count)
        if rules:
            await rule(database, rules)
        where = database.location
    sample = next(islice(make_tools(1), 1))
    took = f"{time.monotonic() - began:.0f} s"
    print(f"{count} tools in {where} after {took}, as {sample.name}; {rules} rules")


def _file_in(data: Path) -> str:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite+aiosqlite:///{data / 'bascule.db'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the database that is named; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.registry", description="Fill a registry with many made-up tools."
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path, help="data directory of a gateway (SQLite)")
    where.add_argument("--database", help="URL of a database, as in database.url")
    parser.add_argument("--tools", type=int, default=100_000, help="how many (100000)")
    parser.add_argument("--rules", type=int, default=0, help="how many access rules (0)")
    given = parser.parse_args(arguments)
    asyncio.run(_run(given.database or _file_in(given.data), given.tools, given.rules))
    return 0


if __name__ == "__main__":
    sys.exit(main())
