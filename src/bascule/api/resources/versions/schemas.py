"""Versions of a tool as the REST API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from bascule.gateway.tool import RiskLevel, ToolStatus


class ToolVersion(BaseModel):
    """A version of a tool. `import_id` is the import it came with."""

    name: str
    version: str
    status: ToolStatus
    risk_level: RiskLevel
    import_id: UUID | None
    edited: list[str]
    created_by: str
    created_at: datetime
    updated_at: datetime


class VersionList(BaseModel):
    """Every version of a tool, the newest first. `in_force` is the one that callers get."""

    name: str
    in_force: str | None
    versions: list[ToolVersion]


class VersionChange(BaseModel):
    """One change: `severity` is breaking, risky or safe, `place` where in the tool it is."""

    severity: str
    place: str
    kind: str
    message: str


class VersionDiff(BaseModel):
    """What one version changes about another; `severity` is the worst, null for no change."""

    name: str
    before: str
    version: str
    severity: str | None
    changes: list[VersionChange]
