"""Tools as the REST API shows them, and what may be said of them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.names import BundleName, Name, Tags, ToolName, Version
from bascule.gateway.tool import RiskLevel, ToolStatus

_MOST_EXAMPLES: Final = 10


Description = Annotated[str, Field(min_length=1, max_length=500)]
Title = Annotated[str, Field(max_length=200)]
Examples = Annotated[list[dict[str, Any]], Field(max_length=_MOST_EXAMPLES)]
Timeout = Annotated[float, Field(gt=0, le=3600)]
CacheSeconds = Annotated[float, Field(ge=0, le=86_400)]


class Tool(BaseModel):
    """A version of a tool of the registry, drafts included."""

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
    timeout_seconds: float | None
    cache_seconds: float
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    examples: list[dict[str, Any]]
    edited: list[str]
    """What was changed by hand, and so is kept by the next import."""
    health: str | None = None
    """Of the service behind it: healthy, degraded or down; null where not known, or not asked."""
    created_by: str
    created_at: datetime
    updated_at: datetime


class ToolMade(Tool):
    """A tool that was made, and what its maker should know."""

    warnings: list[str]


class ToolList(BaseModel):
    """A page of tools; `total` counts all that match."""

    tools: list[Tool]
    total: int
    page: int
    limit: int


class ToolUpdate(Body):
    """What to change; a field that is not sent stays as it is, `null` empties it.

    A lower `risk_level` needs a `reason`. With `updated_at` (or the header If-Match) nothing is
    changed where somebody else was faster.
    """

    title: Title | None = None
    description: Description | None = None
    tags: Tags | None = None
    domain: Name | None = None
    owner: Name | None = None
    risk_level: RiskLevel | None = None
    reason: Annotated[str, Field(max_length=500)] = ""
    examples: Examples | None = None
    timeout_seconds: Timeout | None = None
    cache_seconds: CacheSeconds | None = None
    idempotent: bool | None = None
    updated_at: datetime | None = None


class ToolCreate(Body):
    """A tool to make by hand: one operation of a service that is known already.

    `operation` is an Operation Object of OpenAPI 3.1 (parameters, requestBody, responses); it may
    refer to `components`. What it says of title, description, tags and risk, the fields override.
    What an import would only remark on is refused here, unless `accept_warnings` is set.
    """

    name: ToolName
    version: Version = "1.0.0"
    bundle: BundleName
    upstream: Annotated[str, Field(min_length=1, max_length=100)]
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(max_length=500, pattern=r"^/")]
    operation: Annotated[dict[str, Any], Field(default_factory=dict)]
    components: Annotated[dict[str, Any], Field(default_factory=dict)]
    title: Title | None = None
    description: Description | None = None
    tags: Tags | None = None
    domain: Name | None = None
    owner: Name | None = None
    risk_level: RiskLevel | None = None
    examples: Examples | None = None
    timeout_seconds: Timeout | None = None
    cache_seconds: CacheSeconds = 0
    idempotent: bool | None = None
    accept_warnings: bool = False


class StatusChange(Body):
    """The status that a version is to have; without a version, the newest."""

    status: Literal["active", "inactive", "deprecated"]
    version: Annotated[str, Field(max_length=50)] | None = None


class ToolsDeleted(BaseModel):
    """How many versions were deleted."""

    deleted: int
