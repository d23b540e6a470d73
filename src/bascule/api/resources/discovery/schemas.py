"""Tools as who calls them sees them."""

from typing import Any

from pydantic import BaseModel

from bascule.gateway.tool import RiskLevel


class DiscoveredTool(BaseModel):
    """A tool as its caller may use it; `examples` are arguments that it takes."""

    name: str
    title: str | None
    description: str
    version: str
    bundle: str
    risk_level: RiskLevel
    tags: list[str]
    domain: str | None
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    examples: list[dict[str, Any]]


class Discovery(BaseModel):
    """A page of what the caller may see, by the rules of `tools/list`.

    `total` counts all that match, `domains` are those of all the caller may see.
    """

    tools: list[DiscoveredTool]
    total: int
    page: int
    limit: int
    domains: list[str]
