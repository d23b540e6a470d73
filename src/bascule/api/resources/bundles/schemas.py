"""Bundles as the REST API shows them, and what may be said of them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.names import BundleName, ToolName, Version
from bascule.gateway.tool import RiskLevel
from bascule.storage.repositories.bundles import BundleStatus

Prose = Annotated[str, Field(max_length=2000)]
Owner = Annotated[str, Field(max_length=100)]
Pin = Annotated[str, Field(max_length=50)]
Fixed = Annotated[dict[str, Any], Field(max_length=50)]


class MemberAdd(Body):
    """A tool to borrow. `tool` is its name as `/mcp` lists it.

    `version` may name a line (`1`, `1.2`); "" follows the one in force. `defaults` are arguments
    that every call gets, and that no caller sees or sends.
    """

    tool: Annotated[str, Field(min_length=1, max_length=200)]
    name: ToolName | None = None
    version: Pin = ""
    description: Annotated[str, Field(max_length=500)] = ""
    defaults: Annotated[Fixed, Field(default_factory=dict)]


class MemberUpdate(Body):
    """What to change about a borrowed tool; what is not sent stays as it is."""

    name: ToolName | None = None
    version: Pin | None = None
    description: Annotated[str, Field(max_length=500)] | None = None
    defaults: Fixed | None = None


class Member(BaseModel):
    """A borrowed tool. `problem` says why it is not served, "" where it is."""

    name: str
    tool: str
    server: str
    bundle: str
    version: str
    risk_level: RiskLevel | None
    description: str
    defaults: dict[str, Any]
    problem: str


class BundleCreate(Body):
    """A bundle to make. Without an owner it is its maker's."""

    name: BundleName
    description: Prose = ""
    owner: Owner = ""
    version: Version = "1.0.0"
    members: Annotated[list[MemberAdd], Field(max_length=500, default_factory=list)]


class BundleUpdate(Body):
    """What to change; a field that is not sent stays as it is.

    With `updated_at` (or the header If-Match) nothing is changed where somebody was faster.
    """

    description: Prose | None = None
    owner: Owner | None = None
    version: Version | None = None
    status: BundleStatus | None = None
    updated_at: datetime | None = None


class Bundle(BaseModel):
    """A named selection of tools, served at `/mcp/bundles/{name}`.

    `serves` is the release it serves; "" is its tools and members as they are now.
    """

    name: str
    description: str
    version: str
    owner: str
    status: str
    serves: str
    releases: list[str]
    members: list[Member]
    created_at: datetime
    updated_at: datetime


class BundleList(BaseModel):
    """Every bundle of the tenant."""

    bundles: list[Bundle]
    total: int


class ReleaseCreate(Body):
    """A release to make of what the bundle serves live; it is served at once unless told not to."""

    version: Version
    serve: bool = True


class Rollback(Body):
    """The release to serve, or "" for the bundle's tools and members as they are now."""

    version: Pin


class FrozenTool(BaseModel):
    """A tool as a release has it."""

    name: str
    tool: str
    server: str
    version: str
    defaults: dict[str, Any]


class Release(BaseModel):
    """A frozen selection, at `/mcp/bundles/{name}@{version}`."""

    version: str
    is_served: bool
    tools: list[FrozenTool]
    created_by: str
    created_at: datetime


class ReleaseList(BaseModel):
    """Every release, newest first."""

    releases: list[Release]
    total: int


class Deleted(BaseModel):
    """What is gone."""

    deleted: str
