"""The report of an import."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from bascule.gateway.tool import RiskLevel, ToolStatus


class ImportedTool(BaseModel):
    """A tool that was made, or would be."""

    name: str
    title: str | None
    description: str
    version: str
    risk_level: RiskLevel
    method: str
    path: str
    status: ToolStatus
    tags: list[str]
    idempotent: bool
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    examples: list[dict[str, Any]]


class ImportRemark(BaseModel):
    """A remark on one place of the document (`location` is a JSON pointer as a fragment)."""

    location: str
    message: str
    line: int | None = None


class ImportReport(BaseModel):
    """What an import did; with `dry_run`, what it would do. Then `spec_id` is null."""

    spec_id: UUID | None
    name: str
    version: str
    bundle: str
    base_url: str
    tools_generated: int
    tools: list[ImportedTool]
    warnings: list[ImportRemark]
    published: bool
    dry_run: bool
