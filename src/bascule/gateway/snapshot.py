"""The one thing the data plane knows: a frozen, numbered view of everything an operator set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bascule.gateway.inventory import Inventory
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.pins import Pin
from bascule.gateway.principal import KeyRecord, Person
from bascule.gateway.rule import Rule
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.tool import Bundle, Tool, Upstream


@dataclass(frozen=True, slots=True)
class TenantView:
    """Everything one tenant owns. No look-up ever crosses from one view to another.

    `tools` is keyed by name and ordered as listed; only listable tools are in it.
    `disabled` names tools that exist but are inactive or quarantined.
    """

    tenant: str
    tools: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    disabled: frozenset[str] = frozenset()
    bundles: Mapping[str, Bundle] = field(default_factory=dict[str, Bundle])
    upstreams: Mapping[str, Upstream] = field(default_factory=dict[str, Upstream])
    rules: tuple[Rule, ...] = ()
    policy_version: int = 0
    """The number of the last change of its policies."""
    is_judged_elsewhere: bool = False
    """Whether an engine with documents of its own is asked besides, which may allow anything."""
    inventories: Mapping[str, Inventory] = field(default_factory=dict[str, Inventory])
    """What MCP upstreams offer besides tools, by the upstream's name."""
    versions: Mapping[str, tuple[Tool, ...]] = field(default_factory=dict[str, tuple[Tool, ...]])
    """Every callable version of a tool, newest first, where `tools` has not all of them."""
    bundle_tools: Mapping[str, Mapping[str, Tool]] = field(
        default_factory=dict[str, Mapping[str, Tool]]
    )
    """By bundle (also `name@version`), then by the name it has there: what such an endpoint serves.

    Bundles that are not in it serve the tools that are theirs, and nothing else."""
    pins: Mapping[tuple[str, str], Pin] = field(default_factory=dict[tuple[str, str], Pin])
    """What was decided about MCP tools, by upstream and the name the tool has there."""
    quarantined: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    """Tools of MCP servers that are held back until somebody approves them, by name."""
    secrets: Mapping[str, SealedSecret] = field(default_factory=dict[str, SealedSecret])
    """Secrets of the tenant, encrypted, by name."""
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """What each role permits."""
    group_roles: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Roles by the name of a group, as issuers claim it."""
    people: Mapping[tuple[str, str], Person] = field(default_factory=dict[tuple[str, str], Person])
    """Who is known, by issuer and subject; accounts of this installation under the issuer ""."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A version of the whole configuration. A call sees one from start to end.

    `keys` maps the SHA-256 digest of an API key to its record. `version` grows with every
    committed change and is written into each audit record.
    """

    version: int = 0
    tenants: Mapping[str, TenantView] = field(default_factory=dict[str, TenantView])
    keys: Mapping[bytes, KeyRecord] = field(default_factory=dict[bytes, KeyRecord])
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Host names that belong to one tenant, in lower case, with the tenant's name."""
    issuers: Mapping[str, Issuer] = field(default_factory=dict[str, Issuer])
    """Whose tokens are accepted, by `iss`."""
    certificate_rules: tuple[CertificateRule, ...] = ()
    """Which client certificates are known; the first that fits decides."""

    def tenant(self, name: str) -> TenantView:
        """The view of `name`; an unknown tenant owns nothing."""
        return self.tenants.get(name) or TenantView(name)


EMPTY_SNAPSHOT: Final = Snapshot()
"""Before anything was compiled: nobody is known, and nothing is callable."""
