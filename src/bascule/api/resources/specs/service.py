"""Importing an OpenAPI document: convert, compare, store as a draft, publish."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.importing import require_another, require_reachable, rules_for
from bascule.api.lowering import keeping_privileged
from bascule.api.reservations import refuse_servers_bundle
from bascule.api.resources.specs.fetching import fetch_document, fetch_from, open_client
from bascule.api.resources.specs.labels import UNLABELLED, Labels, label
from bascule.api.resources.specs.offered import Offered
from bascule.api.resources.specs.reports import Outcome, report
from bascule.api.resources.specs.schemas import ImportReport
from bascule.catalogue.openapi import (
    Conversion,
    DocumentRejected,
    Fetch,
    convert,
    read_upload,
)
from bascule.catalogue.openapi.findings import Finding
from bascule.catalogue.openapi.remote import only_from
from bascule.catalogue.openapi.servers import REMEDY, any_host
from bascule.catalogue.planning import Known, Plan, plan_import
from bascule.catalogue.standards import shortfalls
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import UpstreamKind
from bascule.storage.repositories.imports import ImportDraft, Imports, StoredImport
from bascule.storage.repositories.publications import Publications
from bascule.storage.repositories.standards import Standards
from bascule.storage.repositories.surveys import Survey, Surveys
from bascule.upstreams.egress import AddressRules

_CHANGED_MEANWHILE = (
    "Somebody else changed tools of this API at the same time. Look at them, and import again."
)


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, and how: `document` is a file as it was handed over.

    `url` is where it came from; without a `document` it is fetched there. Without `base_url` the
    document's first server counts. Files on `allow_hosts` may be fetched.
    """

    bundle: str
    publish: bool
    dry_run: bool
    document: bytes | None = None
    filename: str = ""
    url: str | None = None
    base_url: str | None = None
    allow_hosts: tuple[str, ...] = ()
    remove_missing: bool = False
    offered: Offered | None = None
    """Set where it is no OpenAPI document, but what a service of another kind says of itself."""
    labels: Labels = UNLABELLED


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A document, its tools, what they meet, and what is to be done about it.

    `is_waiting` where the caller made the very same draft before.
    """

    document: bytes
    conversion: Conversion
    survey: Survey
    plan: Plan
    is_waiting: bool
    lacking: tuple[Finding, ...]
    """What keeps the tools from being published, as the metadata standard is now."""


async def import_document(control: Control, caller: Caller, order: ImportOrder) -> ImportReport:
    """Turn a document into tools: all of them, or none and nothing changed.

    Without `publish` they are drafts, and what agents can call stays as it is.

    Raises:
        DocumentRejected: the document cannot be used; says where and why.
        Conflict: the bundle is an MCP server, a tool of that name belongs to another bundle, may
            not be published, somebody else's draft of the same API waits, or tools were changed
            meanwhile.
        Forbidden: `publish`, where another person has to, or a tool would be privileged no more;
            or an address inside, which is for those to name who manage servers.
    """
    if order.publish and not order.dry_run:
        require_another(control.imports, caller.subject, caller.subject)
    document, conversion = await _read(control, caller, order)
    conversion = label(conversion, order.labels)
    try:
        async with control.read(caller) as rows:
            prepared = await _prepare(rows, caller, order, document, conversion)
    except Conflict as conflict:
        if not order.dry_run:
            # Whoever tries to take another bundle's tools over is on record.
            details = {"bundle": order.bundle}
            async with control.change(caller, "openapi.import", conversion.title, details):
                raise conflict from None
        raise
    outcome = await _carry_out(control, caller, order, prepared)
    warnings = (*prepared.conversion.warnings, *prepared.lacking)
    told = replace(prepared.conversion, warnings=warnings)
    return report(told, order.bundle, prepared.plan, outcome)


async def _read(control: Control, caller: Caller, order: ImportOrder) -> tuple[bytes, Conversion]:
    if order.offered is not None:
        return await order.offered.read(control, caller, order.document)
    rules = rules_for(caller, control.imports.egress)
    require_reachable(rules, "base_url", order.base_url)
    if order.document is not None and not order.allow_hosts:
        return order.document, await asyncio.to_thread(_convert, order, rules, order.document)
    if order.document is None:
        require_reachable(rules, "url", order.url)
    async with open_client(replace(control.imports, egress=rules)) as client:
        content = order.document
        if content is None:
            content = await fetch_document(client, order.url or "")
        fetch = only_from(order.allow_hosts, fetch_from(client)) if order.allow_hosts else None
        return content, await asyncio.to_thread(_convert, order, rules, content, fetch)


def _convert(
    order: ImportOrder, rules: AddressRules, content: bytes, fetch: Fetch | None = None
) -> Conversion:
    source = read_upload(content, order.filename or order.url or "")
    if order.url is not None:
        source = replace(source, url=order.url)
    may_name = rules.is_open_to_strangers if rules.only_public else any_host
    return convert(source, base_url=order.base_url, fetch=fetch, may_name=may_name)


async def _prepare(
    rows: Rows, caller: Caller, order: ImportOrder, document: bytes, conversion: Conversion
) -> _Prepared:
    await refuse_servers_bundle(rows, order.bundle, "bundle_id")
    surveys = Surveys(rows.session, rows.tenant_id)
    names = [draft.name for draft in conversion.tools]
    survey = await surveys.look(order.bundle, conversion.title, names)
    if not conversion.base_url and survey.place.base_url:
        conversion = replace(conversion, base_url=survey.place.base_url)
    if not conversion.base_url and not order.dry_run:
        raise DocumentRejected(
            f"The document names no server that can be used. {REMEDY}", conversion.warnings
        )
    own = _own_draft(survey, caller)
    known = await surveys.known(survey, replaced=own and own.id)
    plan = await asyncio.to_thread(_plan, conversion, survey, known, order)
    is_waiting = await _is_waiting(rows, own, document, conversion, plan)
    lacking = await _lacking(rows, plan)
    return _Prepared(document, conversion, survey, plan, is_waiting, lacking)


async def _is_waiting(
    rows: Rows, own: StoredImport | None, document: bytes, conversion: Conversion, plan: Plan
) -> bool:
    if own is None or own.content_hash != sha256(document).hexdigest():
        return False
    imports = Imports(rows.session, rows.tenant_id)
    if own.base_url != conversion.base_url or await imports.steps(own.id) != plan.steps:
        return False
    return await imports.are_labelled(own.id, plan.new)


async def _lacking(rows: Rows, plan: Plan) -> tuple[Finding, ...]:
    standard = await Standards(rows.session, rows.tenant_id).get()
    return tuple(Finding("#", message) for message in shortfalls(standard, plan.new))


def _plan(
    conversion: Conversion, survey: Survey, known: Mapping[str, Known], order: ImportOrder
) -> Plan:
    return plan_import(
        conversion.tools,
        conversion.base_url,
        survey.place,
        known,
        remove_missing=order.remove_missing,
    )


async def _carry_out(
    control: Control, caller: Caller, order: ImportOrder, prepared: _Prepared
) -> Outcome:
    survey, plan = prepared.survey, prepared.plan
    published = survey.published
    if order.dry_run:
        return Outcome(published and published.id, dry_run=True, will_publish=order.publish)
    if plan.is_empty:
        return Outcome(published and published.id, published=published is not None)
    waiting = survey.waiting
    if waiting is not None and prepared.is_waiting and not order.publish:
        return Outcome(waiting.id)
    if waiting is not None and not order.publish and waiting.uploaded_by != caller.subject:
        raise Conflict(
            f"Import {waiting.id} of {waiting.name}, made by {waiting.uploaded_by}, waits for a "
            "decision. Publish or discard it first.",
            details={"import": str(waiting.id), "by": waiting.uploaded_by},
        )
    details = {
        "bundle": order.bundle,
        "tools": len(plan.tools),
        "published": order.publish,
        "new_versions": len(plan.new),
    }
    async with (
        control.change(caller, "openapi.import", prepared.conversion.title, details) as rows,
        keeping_privileged(rows, caller),
    ):
        stored = await _store(rows, caller, order, prepared)
    return Outcome(stored.id, published=order.publish)


async def _store(
    rows: Rows, caller: Caller, order: ImportOrder, prepared: _Prepared
) -> StoredImport:
    survey, conversion = prepared.survey, prepared.conversion
    names = [draft.name for draft in conversion.tools]
    now = await Surveys(rows.session, rows.tenant_id).look(order.bundle, conversion.title, names)
    if now.mark != survey.mark:
        raise Conflict(_CHANGED_MEANWHILE)
    publications = Publications(rows.session, rows.tenant_id)
    own = _own_draft(survey, caller)
    if own is not None:
        await publications.discard(own)
    stored = await publications.store(
        ImportDraft(
            name=conversion.title,
            version=conversion.version,
            bundle=order.bundle,
            upstream=survey.place.upstream,
            base_url=conversion.base_url,
            document=prepared.document,
            plan=prepared.plan,
            is_in_use=survey.place.base_url is not None,
            filename=order.filename or order.url or "",
            findings=conversion.warnings,
            kind=UpstreamKind.REST if order.offered is None else order.offered.kind,
        )
    )
    return await publications.publish(stored) if order.publish else stored


def _own_draft(survey: Survey, caller: Caller) -> StoredImport | None:
    """A draft that the caller made earlier, and that a new one takes the place of."""
    waiting = survey.waiting
    return waiting if waiting is not None and waiting.uploaded_by == caller.subject else None
