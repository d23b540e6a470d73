"""Tools, principals and snapshots for tests: plausible by default, and small."""

from collections.abc import Iterable, Mapping

from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import RestSource, RiskLevel, Tool
from bascule.identity.api_keys import digest_of
from bascule.protocol.tools import encode_definition

TENANT = "acme"
KEY = "bsc_a-key-for-tests"
USER_PERMISSIONS = frozenset({"tools:list", "tools:execute"})


def make_tool(
    name: str = "get_slots",
    *,
    bundle: str = "booking",
    upstream: str = "dealers",
    risk: RiskLevel = RiskLevel.READ,
    input_schema: Mapping[str, object] | None = None,
    version: str = "1.0.0",
) -> Tool:
    """A REST tool with its definition encoded, as a snapshot compiler leaves it."""
    schema = input_schema if input_schema is not None else {"type": "object"}
    return Tool(
        name=name,
        description=f"What {name} does.",
        bundle=bundle,
        source=RestSource(upstream, "GET", f"/{name}"),
        input_schema=schema,
        risk=risk,
        version=version,
        definition=encode_definition(name=name, description="", input_schema=schema),
    )


def make_principal(
    subject: str = "ann",
    *,
    roles: Iterable[str] = ("user",),
    permissions: Iterable[str] = USER_PERMISSIONS,
    tenant: str = TENANT,
) -> Principal:
    """Somebody who may list and execute, if a rule allows it."""
    return Principal(tenant, subject, frozenset(roles), frozenset(permissions))


def allow_everything(role: str = "user") -> Rule:
    """One rule that lets `role` see and call every tool."""
    return Rule("allow-everything", Effect.ALLOW, frozenset({role}))


def make_snapshot(
    tools: Iterable[Tool] = (),
    *,
    rules: Iterable[Rule] | None = None,
    disabled: Iterable[str] = (),
    version: int = 7,
    principal: Principal | None = None,
) -> Snapshot:
    """One tenant, and one key (`KEY`) that belongs to `principal`."""
    view = TenantView(
        TENANT,
        tools={tool.name: tool for tool in tools},
        disabled=frozenset(disabled),
        rules=(allow_everything(),) if rules is None else tuple(rules),
    )
    record = KeyRecord("key-1", principal or make_principal())
    return Snapshot(version, {TENANT: view}, {digest_of(KEY): record})
