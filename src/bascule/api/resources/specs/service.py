"""Importing an OpenAPI document: convert, check, store, publish."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.specs.schemas import ImportedTool, ImportRemark, ImportReport
from bascule.catalogue.openapi import Conversion, ToolDraft, convert
from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Bundle, Tool, ToolStatus, Upstream, UpstreamKind
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.page import LARGEST_PAGE
from bascule.storage.repositories.specs import SpecDraft, Specs
from bascule.storage.repositories.tools import ToolFilter, Tools
from bascule.storage.repositories.upstreams import Upstreams

_LIVE: Final = frozenset({ToolStatus.ACTIVE, ToolStatus.DEPRECATED})
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, and how. Without `base_url` the document's first server counts."""

    document: bytes
    bundle: str
    publish: bool
    dry_run: bool
    base_url: str | None = None


_Statuses = Mapping[str, ToolStatus]
"""Tool name to status, for tools that exist already."""


async def import_document(control: Control, caller: Caller, order: ImportOrder) -> ImportReport:
    """Turn a document into tools: all of them, or none and nothing changed.

    Without `publish` nothing that agents can call is changed: neither a live tool, nor the
    address of a service that has one. With it, the bundle's tools of the same name are replaced.

    Raises:
        DocumentRejected: the document cannot be used; says where and why.
        Conflict: a tool of that name belongs to another bundle, may not be published, or is live
            and `publish` not set.
    """
    conversion = await asyncio.to_thread(convert, order.document, base_url=order.base_url)
    if order.dry_run:
        async with control.read(caller) as rows:
            known = await _known(rows, conversion.tools, order)
        return _report(conversion, order, known, None)
    details = {"bundle": order.bundle, "tools": len(conversion.tools), "published": order.publish}
    async with control.change(caller, "openapi.import", conversion.title, details) as rows:
        known = await _known(rows, conversion.tools, order)
        if not order.publish:
            await _spare_the_live(rows, conversion, order, known)
        spec_id = await _store(rows, conversion, order, caller)
    return _report(conversion, order, known, spec_id)


async def _store(rows: Rows, conversion: Conversion, order: ImportOrder, caller: Caller) -> UUID:
    bundle = Bundle(order.bundle, description=conversion.title, owner=caller.subject)
    await Bundles(rows.session, rows.tenant_id).get_or_create(bundle)
    upstream = Upstream(
        name=_upstream_name(order.bundle, conversion.title),
        kind=UpstreamKind.REST,
        url=conversion.base_url,
        connect_timeout_seconds=0.0,
        timeout_seconds=0.0,
    )
    await Upstreams(rows.session, rows.tenant_id).upsert(upstream)
    document = order.document.decode("utf-8", errors="replace")
    spec = await Specs(rows.session, rows.tenant_id).save(
        SpecDraft(conversion.title, conversion.version, document, order.bundle)
    )
    tools = Tools(rows.session, rows.tenant_id)
    made = [_tool(draft, order, upstream.name) for draft in conversion.tools]
    await tools.upsert_many(made, spec_id=spec.id)
    if order.publish:
        for tool in made:
            await tools.set_status(tool.name, tool.status, tool.version)
    return spec.id


async def _known(rows: Rows, drafts: Sequence[ToolDraft], order: ImportOrder) -> _Statuses:
    """The tools that the import would replace.

    A name belongs to one bundle: an import never takes another bundle's tool over.
    """
    tools, known = Tools(rows.session, rows.tenant_id), dict[str, ToolStatus]()
    for draft in drafts:
        try:
            stored = (await tools.get(draft.name)).tool
        except NotFound:
            continue
        if stored.bundle != order.bundle:
            raise Conflict(
                f"Tool {draft.name} exists already in bundle {stored.bundle}. Import into "
                "that bundle, or change the operationId.",
                details={"tool": draft.name, "bundle": stored.bundle},
            )
        if order.publish and stored.status is ToolStatus.QUARANTINED:
            raise Conflict(
                f"Tool {draft.name} is quarantined, so an import does not publish it. "
                "Import without publishing, review the tool, then set its status.",
                details={"tool": draft.name},
            )
        known[draft.name] = stored.status
    return known


async def _spare_the_live(
    rows: Rows, conversion: Conversion, order: ImportOrder, known: _Statuses
) -> None:
    """A draft changes no published tool, and moves the service of none to another address."""
    live = next((name for name, status in known.items() if status in _LIVE), None)
    if live is not None:
        raise Conflict(
            f"Tool {live} is published, and a draft would change it under its callers. Import "
            "with auto_publish (--publish) to replace it, or look with dry_run (--dry-run).",
            details={"tool": live},
        )
    name = _upstream_name(order.bundle, conversion.title)
    for stored in await Upstreams(rows.session, rows.tenant_id).list():
        if stored.upstream.name == name and stored.upstream.url != conversion.base_url:
            await _spare_callers(rows, stored.upstream, order.bundle)


async def _spare_callers(rows: Rows, upstream: Upstream, bundle: str) -> None:
    tools = Tools(rows.session, rows.tenant_id)
    for status in _LIVE:
        wanted = ToolFilter(bundle=bundle, status=status)
        page = await tools.list(wanted, limit=LARGEST_PAGE)
        if any(one.tool.source.upstream == upstream.name for one in page.items):
            raise Conflict(
                f"Published tools call this service at {upstream.url}, and a draft does not move "
                "them. Import with auto_publish (--publish), or under another title.",
                details={"base_url": upstream.url},
            )


def _tool(draft: ToolDraft, order: ImportOrder, upstream: str) -> Tool:
    return Tool(
        name=draft.name,
        title=draft.title,
        description=draft.description,
        bundle=order.bundle,
        source=replace(draft.source, upstream=upstream),
        input_schema=draft.input_schema,
        output_schema=draft.output_schema,
        risk=draft.risk,
        status=_published_status(draft) if order.publish else ToolStatus.DRAFT,
        tags=draft.tags,
        examples=draft.examples,
        idempotent=draft.idempotent,
    )


def _published_status(draft: ToolDraft) -> ToolStatus:
    return ToolStatus.DEPRECATED if draft.deprecated else ToolStatus.ACTIVE


def _upstream_name(bundle: str, title: str) -> str:
    """The same for a re-import, another for each other title in the bundle, but for its case."""
    slug = _NOT_IN_A_NAME.sub("-", title.lower()).strip("-")
    name = f"{bundle}.{slug}"
    if slug.split("-") == title.lower().split() and len(name) <= _LONGEST_NAME:
        return name
    # The title does not survive in the name (it may be in another script): its digest does.
    mark = hashlib.sha256(f"{bundle}.{title}".encode()).hexdigest()[:12]
    return f"{name[: _LONGEST_NAME - 13].rstrip('-.')}-{mark}"


def _report(
    conversion: Conversion, order: ImportOrder, known: _Statuses, spec_id: UUID | None
) -> ImportReport:
    return ImportReport(
        spec_id=spec_id,
        name=conversion.title,
        version=conversion.version,
        bundle=order.bundle,
        base_url=conversion.base_url,
        tools_generated=len(conversion.tools),
        tools=[_shown(draft, order, known.get(draft.name)) for draft in conversion.tools],
        warnings=[
            ImportRemark(location=one.location, message=one.message, line=one.line)
            for one in conversion.warnings
        ],
        published=order.publish and not order.dry_run,
        dry_run=order.dry_run,
    )


def _shown(draft: ToolDraft, order: ImportOrder, kept: ToolStatus | None) -> ImportedTool:
    tool = _tool(draft, order, "")
    return ImportedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        version=tool.version,
        risk_level=tool.risk,
        method=draft.source.method,
        path=draft.source.path,
        status=tool.status if order.publish or kept is None else kept,
        tags=list(tool.tags),
        idempotent=tool.idempotent,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        examples=[dict(example) for example in tool.examples],
    )
