"""What a bundle borrows: finding the tool that is meant, and judging what is changed about it."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.reservations import refuse_servers_bundle
from bascule.api.resources.bundles.schemas import Member, MemberAdd, MemberUpdate
from bascule.api.suggestions import tool_missing
from bascule.catalogue.bundling import Finder, misfit
from bascule.gateway import tool as kernel
from bascule.gateway.circumstances import circumstances_now
from bascule.gateway.decision import Question
from bascule.gateway.errors import Conflict, Forbidden, InvalidValue, NotFound
from bascule.gateway.rule import Action
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import McpSource
from bascule.guards.schemas import InputSchemas, SchemaRefused
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.selections import Selections

_DECISION_SECONDS: Final = 10.0


async def add_member(control: Control, caller: Caller, bundle: str, wanted: MemberAdd) -> None:
    """Borrow a tool.

    Raises:
        NotFound: there is no such bundle, or no such tool in force.
        Forbidden: the caller may not call the tool.
        Conflict: the bundle has a tool of that name, or is an MCP server.
        InvalidValue: the tool does not take what is fixed.
    """
    details: dict[str, object] = {"tool": wanted.tool}
    async with control.change(caller, "bundle.member.add", bundle, details) as rows:
        await refuse_servers_bundle(rows, bundle, "bundle")
        stored = await Bundles(rows.session, rows.tenant_id).get(bundle)
        member = await plan_member(control, caller, bundle, wanted)
        # Written down with the change, as the block is left.
        details |= _told(member)
        await Selections(rows.session, rows.tenant_id).add(stored.id, member)
        await _touch(rows, bundle)


async def change_member(
    control: Control, caller: Caller, bundle: str, name: str, wanted: MemberUpdate
) -> None:
    """Change what the bundle makes of a tool that it borrows.

    Raises:
        NotFound: there is no such bundle, or nothing that it calls `name`.
        Forbidden: the caller may not call the tool.
        Conflict: the bundle has a tool of the new name.
        InvalidValue: the tool does not take what is fixed.
    """
    details: dict[str, object] = {"name": name}
    async with control.change(caller, "bundle.member.update", bundle, details) as rows:
        stored = await Bundles(rows.session, rows.tenant_id).get(bundle)
        selections = Selections(rows.session, rows.tenant_id)
        before = await selections.get(stored.id, name)
        member = replace(before, **wanted.model_dump(exclude_none=True))
        details |= {"from": _told(before), "to": _told(member)}
        await _check(control, caller, bundle, member)
        await selections.change(stored.id, name, member)
        await _touch(rows, bundle)


async def remove_member(control: Control, caller: Caller, bundle: str, name: str) -> None:
    """Borrow a tool no more.

    Raises:
        NotFound: there is no such bundle, or nothing that it calls `name`.
    """
    details = {"name": name}
    async with control.change(caller, "bundle.member.remove", bundle, details) as rows:
        stored = await Bundles(rows.session, rows.tenant_id).get(bundle)
        await Selections(rows.session, rows.tenant_id).remove(stored.id, name)
        await _touch(rows, bundle)


async def plan_member(
    control: Control, caller: Caller, bundle: str, wanted: MemberAdd
) -> kernel.Member:
    """The member that `wanted` describes.

    Raises:
        NotFound: no such tool is in force; says which one may be meant.
        Forbidden: the caller may not call it.
        Conflict: the bundle has a tool of that name of its own.
        InvalidValue: the tool does not take what is fixed.
    """
    view = control.snapshot().tenant(caller.tenant)
    tool = view.tools.get(wanted.tool)
    if tool is None:
        raise tool_missing(view, wanted.tool)
    source = tool.source
    is_relayed = isinstance(source, McpSource)
    member = kernel.Member(
        tool=source.name if isinstance(source, McpSource) else tool.name,
        version=wanted.version,
        name=wanted.name or "",
        description=wanted.description,
        defaults=wanted.defaults,
        server=source.upstream if is_relayed else "",
    )
    await _check(control, caller, bundle, member)
    return member


def shown_member(finder: Finder, view: TenantView, bundle: str, member: kernel.Member) -> Member:
    """A member as the REST API shows it."""
    tool = finder.find(member)
    return Member(
        name=member.shown_name,
        tool=member.tool,
        server=member.server,
        bundle="" if tool is None else tool.bundle,
        version=member.version,
        risk_level=None if tool is None else tool.risk,
        description=member.description,
        defaults=dict(member.defaults),
        problem=_problem(tool, view, bundle, member),
    )


def _problem(tool: kernel.Tool | None, view: TenantView, bundle: str, member: kernel.Member) -> str:
    if tool is None:
        what = f"version {member.version} of {member.tool}" if member.version else member.tool
        return f"{what} is not in force{f' at {member.server}' if member.server else ''}"
    own = view.tools.get(member.shown_name)
    if own is not None and own.bundle == bundle and own is not tool:
        return f"the bundle has a tool of its own named {member.shown_name}"
    return misfit(tool, member)


async def _check(control: Control, caller: Caller, bundle: str, member: kernel.Member) -> None:
    view = control.snapshot().tenant(caller.tenant)
    tool = Finder(view).find(member)
    if tool is None:
        raise _no_version(view, member)
    await _require_callable(control, caller, tool)
    own = view.tools.get(member.shown_name)
    if own is not None and own.bundle == bundle and own.name != member.tool:
        raise Conflict(
            f"The bundle has a tool of its own named {member.shown_name}. "
            "Give this one another name.",
            details={"field": "name"},
        )
    reason = misfit(tool, member)
    if reason:
        known = ", ".join(_properties(tool)) or "none"
        raise InvalidValue(f"{reason}. It takes {known}.", details={"field": "defaults"})
    for name, value in member.defaults.items():
        _check_value(tool, name, value)


async def _require_callable(control: Control, caller: Caller, tool: kernel.Tool) -> None:
    """Rules about the bundle cover what it borrows: nobody lends what they may not call."""
    question = Question(caller.principal, tool, Action.INVOKE, circumstances_now())
    deadline = time.monotonic() + _DECISION_SECONDS
    if not (decision := await control.access().decide_use(question, deadline=deadline)).possible:
        raise Forbidden(
            f"To put {tool.name} {tool.version} into a bundle you must be allowed to call it "
            "yourself. Ask an administrator for a rule that allows you to, or to add it.",
            private=f"may not call {tool.name} {tool.version}: {decision.rule}",
            details={"field": "tool", "tool": tool.name},
        )


def _check_value(tool: kernel.Tool, name: str, value: object) -> None:
    """Pass where `value` fits what the schema says of the argument."""
    document = {**tool.input_schema, "required": [name]}
    kept = {key: document[key] for key in ("$schema", "$defs", "definitions") if key in document}
    alone = {**kept, "type": "object", "properties": {name: _properties(tool)[name]}}
    try:
        error = next(InputSchemas().compile(alone).iter_errors({name: value}), None)
    except SchemaRefused:
        return  # the tool cannot be called at all, and says so itself
    if error is not None:
        raise InvalidValue(
            f"defaults.{name}: {str(error).splitlines()[0][:300]}",
            details={"field": f"defaults.{name}"},
        )


def _properties(tool: kernel.Tool) -> Mapping[str, Any]:
    found = tool.input_schema.get("properties")
    return found if isinstance(found, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]


def _no_version(view: TenantView, member: kernel.Member) -> NotFound:
    newest = view.tools.get(member.tool)
    known = view.versions.get(member.tool) or (() if newest is None else (newest,))
    if not known:
        return NotFound(
            f"The tool {member.tool} is not in force. Publish it first.", details={"field": "tool"}
        )
    return NotFound(
        f"{member.tool} has no version {member.version} in force; there are "
        f"{', '.join(one.version for one in known)}.",
        details={"field": "version", "available": [one.version for one in known]},
    )


def _told(member: kernel.Member) -> dict[str, object]:
    """A member in an audit record; of what is fixed only the names, as it may be secret."""
    told: dict[str, object] = {"tool": member.tool, "name": member.shown_name}
    if member.server:
        told["server"] = member.server
    if member.version:
        told["version"] = member.version
    if member.defaults:
        told["fixes"] = sorted(member.defaults)
    return told


async def _touch(rows: Rows, bundle: str) -> None:
    await Bundles(rows.session, rows.tenant_id).touch(bundle)
