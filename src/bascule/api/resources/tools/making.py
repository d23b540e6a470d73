"""Making a tool by hand: converted and judged as if it came from a document."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import msgspec

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.reservations import refuse_servers_bundle
from bascule.api.resources.tools.editing import check_edit, check_examples
from bascule.api.resources.tools.schemas import ToolCreate, ToolMade
from bascule.api.resources.tools.service import show
from bascule.catalogue.openapi import Conversion, convert
from bascule.gateway.errors import Forbidden, GatewayError, InvalidValue
from bascule.gateway.tool import RestSource, Tool, ToolStatus, Upstream, UpstreamKind
from bascule.storage.repositories.edits import ToolEdits
from bascule.storage.repositories.upstreams import Upstreams, has_credentials
from bascule.upstreams.rest.plans import compile_operation

_MANAGES_SERVERS: Final = "mcp:manage_servers"
_LONGEST_FOR_MODELS: Final = 64
"""Several model APIs take no longer name of a tool."""

_OVERRIDES: Final = (
    "title",
    "description",
    "tags",
    "domain",
    "owner",
    "examples",
    "timeout_seconds",
    "cache_seconds",
    "idempotent",
)


async def create_tool(control: Control, caller: Caller, wanted: ToolCreate) -> ToolMade:
    """Make a tool, as a draft.

    Raises:
        NotFound: the upstream does not exist.
        Conflict: the name is taken in this version, or by another bundle; or the bundle is an MCP
            server.
        InvalidValue: the operation cannot be used; says where and why.
        Forbidden: calls would carry credentials that are not the caller's to use.
    """
    async with control.read(caller) as rows:
        await refuse_servers_bundle(rows, wanted.bundle, "bundle")
        upstream = (await Upstreams(rows.session, rows.tenant_id).get(wanted.upstream)).upstream
    if upstream.kind is not UpstreamKind.REST:
        raise InvalidValue(
            f"{upstream.name} is no REST service: an MCP server says itself what tools it has.",
            details={"field": "upstream"},
        )
    conversion = await asyncio.to_thread(_convert, wanted, upstream)
    tool = _tool(conversion, wanted, upstream)
    warnings = [
        f"{_place(one.location, wanted)}: {one.message}"
        for one in conversion.warnings
        if not one.location.endswith("/operationId")  # the name is judged here
    ]
    if warnings and not wanted.accept_warnings:
        raise InvalidValue(
            f"The operation is not right. {' '.join(warnings)} "
            "Correct it, or send accept_warnings to make the tool all the same.",
            details={"field": "operation", "warnings": warnings},
        )
    if len(tool.name) > _LONGEST_FOR_MODELS:
        warnings.append(
            f"name: has {len(tool.name)} characters, and several models take no more than "
            f"{_LONGEST_FOR_MODELS}; choose a shorter one."
        )
    details = {"version": tool.version, "bundle": tool.bundle, "upstream": upstream.name}
    async with control.change(caller, "tool.create", tool.name, details) as rows:
        _require_credentials(caller, upstream)
        stored = await ToolEdits(rows.session, rows.tenant_id).create(tool)
    return ToolMade(**show(stored).model_dump(), warnings=warnings)


def _require_credentials(caller: Caller, upstream: Upstream) -> None:
    """Any path of the service could be called, with whatever its owner lets the gateway do."""
    if has_credentials(upstream) and not caller.principal.may(_MANAGES_SERVERS):
        raise Forbidden(
            f"The service {upstream.name} is called with credentials, so making a tool of it by "
            f"hand needs the permission {_MANAGES_SERVERS}. Ask somebody who has it, or import "
            "its document.",
            details={"permission": _MANAGES_SERVERS, "field": "upstream"},
        )


def _place(location: str, wanted: ToolCreate) -> str:
    """Where in the request something is that an import would find at `location`."""
    path = wanted.path.replace("~", "~0").replace("/", "~1")
    operation = f"#/paths/{path}/{wanted.method.lower()}"
    return location.replace(operation, "operation") if operation in location else location


def _convert(wanted: ToolCreate, upstream: Upstream) -> Conversion:
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": wanted.name, "version": wanted.version},
        "servers": [{"url": upstream.url}],
        "paths": {wanted.path: {wanted.method.lower(): _operation(wanted)}},
    }
    if wanted.components:
        document["components"] = wanted.components
    return convert(msgspec.json.encode(document), base_url=upstream.url)


def _operation(wanted: ToolCreate) -> dict[str, Any]:
    answers = {"responses": {"200": {"description": "It was done."}}}
    return {**answers, **wanted.operation, "operationId": wanted.name}


def _tool(conversion: Conversion, wanted: ToolCreate, upstream: Upstream) -> Tool:
    if not conversion.tools:
        reasons = "; ".join(one.message for one in conversion.warnings) or "it has no operation"
        raise InvalidValue(f"No tool can be made of this: {reasons}", details={"field": "method"})
    draft = conversion.tools[0]
    tool = Tool(
        name=wanted.name,
        version=wanted.version,
        title=draft.title,
        description=draft.description,
        bundle=wanted.bundle,
        source=replace(draft.source, upstream=upstream.name),
        input_schema=draft.input_schema,
        output_schema=draft.output_schema,
        risk=draft.risk if wanted.risk_level is None else wanted.risk_level,
        status=ToolStatus.DRAFT,
        tags=draft.tags,
        examples=draft.examples,
        idempotent=draft.idempotent,
    )
    given = wanted.model_dump(include=set(_OVERRIDES), exclude_none=True)
    # The risk of something new is not lowered: nobody has relied on another one.
    check_edit(replace(tool, examples=()), {k: v for k, v in given.items() if k != "examples"}, "")
    check_examples(tool.input_schema, given.get("examples", ()))
    tool = replace(tool, **given)
    _check_source(tool, upstream)
    return tool


def _check_source(tool: Tool, upstream: Upstream) -> None:
    if isinstance(tool.source, RestSource):
        try:
            compile_operation(tool.source, upstream.url)
        except GatewayError as failure:
            raise InvalidValue(
                f"The operation cannot be called: {failure.private}.",
                details={"field": "operation"},
            ) from None
