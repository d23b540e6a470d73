"""Imports as the REST API shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.names import BundleName, Name, Tags
from bascule.gateway.tool import RiskLevel, ToolStatus


class ConnectorImport(Body):
    """What to import through a connector, and how."""

    bundle_id: BundleName
    address: Annotated[str, Field(max_length=1900)] = ""
    auto_publish: bool = False
    dry_run: bool = False
    remove_missing: bool = False
    owner: Name | None = None
    domain: Name | None = None
    tags: Tags = Field(default_factory=list[str])


class ImportedTool(BaseModel):
    """A tool as the import leaves it, or would."""

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


class ToolChange(BaseModel):
    """One change: `severity` is breaking, risky or safe, `place` where in the tool it is."""

    severity: str
    place: str
    kind: str
    message: str


class ToolDiff(BaseModel):
    """What becomes of one tool.

    `action` is added, changed, removed or restored; `kept` names the fields that were edited by
    hand and stay so. `before` is the version that was in force when the import was made.
    """

    tool: str
    action: str
    severity: str | None
    before: str | None
    version: str
    status: ToolStatus
    kept: list[str]
    changes: list[ToolChange]


class ImportDiff(BaseModel):
    """What an import changes: `api` about the whole, `tools` about each that changes.

    `summary` counts tools by action, and changes by severity.
    """

    severity: str | None
    summary: dict[str, int]
    api: list[ToolChange]
    tools: list[ToolDiff]


class ImportReport(BaseModel):
    """What an import did; with `dry_run`, what it would do.

    `spec_id` is the id of the import: null where nothing was stored before and nothing is now.
    `changed` is false where everything was already as the document says; then nothing is stored.
    """

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
    changed: bool
    diff: ImportDiff


class Import(BaseModel):
    """An import. `status` is draft, published, superseded, rolled_back or discarded."""

    id: UUID
    name: str
    version: str
    bundle: str
    upstream: str
    base_url: str
    base_url_before: str | None
    status: str
    filename: str
    size_bytes: int
    content_hash: str
    summary: dict[str, int]
    replaces: UUID | None
    uploaded_by: str
    uploaded_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class ImportList(BaseModel):
    """A page of imports, the latest first; `total` counts all that match."""

    imports: list[Import]
    total: int
    page: int
    limit: int


class ToolOfImport(BaseModel):
    """A tool of an import, and the version that it stored or found."""

    name: str
    version: str
    action: str


class ImportDetail(Import):
    """An import with the remarks on its document, its tools and what it changes."""

    warnings: list[ImportRemark]
    tools: list[ToolOfImport]
    diff: ImportDiff
