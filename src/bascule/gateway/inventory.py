"""What MCP upstreams offer besides tools, as the snapshot carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bascule.gateway.tool import RiskLevel
from bascule.protocol.versions import Era


class ItemKind(StrEnum):
    """What a call besides a tool call may be about."""

    PROMPT = "prompt"
    RESOURCE = "resource"
    TEMPLATE = "template"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Listed:
    """A prompt or a resource template. `name` is the caller's, `inner` the upstream's own.

    For a template both are the URI template. `definition` is the object as listed: JSON.
    """

    name: str
    upstream: str
    bundle: str
    inner: str
    definition: bytes
    risk: RiskLevel = RiskLevel.READ
    own_definition: bytes = b""
    """As the upstream lists it, where `definition` bears another name; b"" where it does not."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """One upstream's offer. `capabilities` is the object it advertised, as JSON.

    `ttl_ms` is how long its lists hold; `public` whether it lets them be shared between users.
    """

    upstream: str
    era: Era
    capabilities: bytes = b"{}"
    instructions: str = ""
    prompts: Mapping[str, Listed] = field(default_factory=dict[str, Listed])
    templates: tuple[Listed, ...] = ()
    ttl_ms: int = 0
    public: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What a call besides a tool call is about, found and judged by `authorise`.

    `inner` is the name, URI or id that `upstream` knows it by.
    """

    kind: ItemKind
    upstream: str
    name: str
    bundle: str
    inner: str
    risk: RiskLevel = RiskLevel.READ
