"""Tools as the REST API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from bascule.gateway.tool import RiskLevel, ToolStatus


class Tool(BaseModel):
    """A tool of the registry, drafts included."""

    name: str
    title: str | None
    description: str
    version: str
    bundle: str
    upstream: str
    method: str | None
    path: str | None
    risk_level: RiskLevel
    status: ToolStatus
    tags: list[str]
    domain: str | None
    owner: str | None
    idempotent: bool
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    examples: list[dict[str, Any]]
    created_by: str
    created_at: datetime
    updated_at: datetime


class ToolList(BaseModel):
    """A page of tools; `total` counts all that match."""

    tools: list[Tool]
    total: int
    page: int
    limit: int


class DiscoveredTool(BaseModel):
    """A tool as its caller may use it."""

    name: str
    title: str | None
    description: str
    version: str
    bundle: str
    risk_level: RiskLevel
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    examples: list[dict[str, Any]]
    tags: list[str]


class Discovery(BaseModel):
    """Everything the caller may see, by the rules of `tools/list`."""

    tools: list[DiscoveredTool]
    total: int
    domains: list[str]
