"""Changing, switching and deleting tools by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.etags import expect
from bascule.api.importing import ImportRules, require_another
from bascule.api.lowering import PERMISSION, keeping_privileged, lowering_refused
from bascule.api.resources.tools.schemas import StatusChange, Tool, ToolsDeleted, ToolUpdate
from bascule.api.resources.tools.service import show
from bascule.gateway import tool as kernel
from bascule.gateway.errors import Conflict, InvalidValue
from bascule.gateway.tool import RiskLevel, ToolStatus
from bascule.guards.schemas import InputSchemas, SchemaRefused
from bascule.storage.repositories.edits import ToolEdits
from bascule.storage.repositories.tools import StoredTool

_RANKS: Final = {RiskLevel.READ: 0, RiskLevel.WRITE: 1, RiskLevel.PRIVILEGED: 2}
_CALLABLE: Final = (ToolStatus.ACTIVE, ToolStatus.DEPRECATED)
_MOST_EXAMPLE_BYTES: Final = 16 * 1024
_NEVER_EMPTY: Final = {
    "description": "description",
    "risk_level": "risk_level",
    "idempotent": "idempotent",
    "cache_seconds": "cache_seconds",
}


async def update_tool(
    control: Control,
    caller: Caller,
    name: str,
    version: str | None,
    wanted: ToolUpdate,
    if_match: str | None,
) -> Tool:
    """Change what `wanted` says of a version, the one callers get where none is named.

    Raises:
        NotFound: the tenant has none of that name.
        Conflict: somebody else changed it meanwhile.
        InvalidValue: an example does not fit, a lower risk has no reason, or the like.
        Forbidden: a privileged tool is to be less, and the caller may not change policies.
    """
    fields = _fields(wanted)
    details: dict[str, object] = {}
    async with control.change(caller, "tool.update", name, details) as rows:
        tools = ToolEdits(rows.session, rows.tenant_id)
        stored = await tools.get(name, version)
        expect(stored.updated_at, if_match, wanted.updated_at)
        # Written down with the change, as the block is left.
        details |= {"version": stored.tool.version, "changes": _changes(stored.tool, fields)}
        if wanted.reason:
            details["reason"] = wanted.reason
        check_edit(stored.tool, fields, wanted.reason)
        _check_right(caller, stored.tool, fields)
        if not fields:
            return show(stored)
        return show(await tools.change(name, stored.tool.version, fields))


async def set_status(control: Control, caller: Caller, name: str, wanted: StatusChange) -> Tool:
    """Switch a version of a tool.

    Raises:
        NotFound: the tenant has none of that name.
        Conflict: it is quarantined; or a draft, which with four eyes is published or deleted.
        InvalidValue: it is to be active, but does not meet the tenant's metadata standard.
        Forbidden: its author asks to have it called, and another person has to; or the tool would
            be privileged no more.
    """
    details: dict[str, object] = {"status": wanted.status}
    if wanted.version:
        details["version"] = wanted.version
    async with (
        control.change(caller, "tool.status", name, details) as rows,
        keeping_privileged(rows, caller),
    ):
        tools = ToolEdits(rows.session, rows.tenant_id)
        before = {one.tool.version: one.tool.status for one in await tools.versions(name)}
        stored = await tools.switch(name, wanted.version, ToolStatus(wanted.status))
        _judge_switch(control.imports, before[stored.tool.version], stored, caller.subject)
        return show(stored)


def _judge_switch(rules: ImportRules, before: ToolStatus, stored: StoredTool, subject: str) -> None:
    """Pass where `subject` may have made this of a version that was `before`.

    Whether an inactive version was ever in force is not on record, so it counts as if not.
    """
    after = stored.tool.status
    if rules.four_eyes and before is ToolStatus.DRAFT and after is not ToolStatus.ACTIVE:
        raise Conflict(
            f"Tool {stored.tool.name} {stored.tool.version} is a draft: here another person than "
            "its author publishes it (catalogue.four_eyes). Let it be published, or delete it.",
            details={"field": "status"},
        )
    if before not in _CALLABLE and after in _CALLABLE:
        require_another(rules, stored.created_by, subject)


async def delete_tool(
    control: Control, caller: Caller, name: str, version: str | None
) -> ToolsDeleted:
    """Delete a version of a tool, or all.

    Raises:
        NotFound: the tenant has none of that name.
        Conflict: a bundle borrows it.
        Forbidden: nothing would tell any more that it is privileged.
    """
    details: dict[str, object] = {"version": version or "all"}
    async with (
        control.change(caller, "tool.delete", name, details) as rows,
        keeping_privileged(rows, caller),
    ):
        gone = await ToolEdits(rows.session, rows.tenant_id).remove(name, version)
    return ToolsDeleted(deleted=gone)


def _check_right(caller: Caller, before: kernel.Tool, fields: Mapping[str, Any]) -> None:
    """Pass who may lower the risk of what needs a person's leave: it is a rule like others."""
    is_privileged = before.risk is RiskLevel.PRIVILEGED
    falls = is_privileged and fields.get("risk", before.risk) != RiskLevel.PRIVILEGED
    if falls and not caller.principal.may(PERMISSION):
        raise lowering_refused([before.name])


def check_edit(before: kernel.Tool, fields: Mapping[str, Any], reason: str) -> None:
    """Pass where `fields` go with the tool, and with each other.

    Raises:
        InvalidValue: names the field, and what to do.
    """
    risk = fields.get("risk")
    if risk is not None and _RANKS[RiskLevel(risk)] < _RANKS[before.risk] and not reason.strip():
        raise _wrong(
            "reason",
            f"A lower risk (from {before.risk} to {risk}) lets more callers use the tool. "
            "Give a reason; it goes into the audit record.",
        )
    after = replace(before, **fields)
    if after.cache_seconds > 0 and after.risk != RiskLevel.READ:
        raise _wrong(
            "cache_seconds",
            f"Answers are kept for reads only, and {before.name} has the risk {after.risk}. "
            "Send cache_seconds 0.",
        )
    if "examples" in fields:
        check_examples(before.input_schema, fields["examples"])


def check_examples(schema: Mapping[str, object], examples: Sequence[Mapping[str, object]]) -> None:
    """Pass where each example is arguments that the tool takes.

    Raises:
        InvalidValue: says which one does not fit, where and why.
    """
    if not examples:
        return
    try:
        validator = InputSchemas().compile(schema)
    except SchemaRefused as refused:
        raise _wrong("examples", f"The tool's input schema is unusable: {refused}") from None
    for number, example in enumerate(examples):
        if len(msgspec.json.encode(example)) > _MOST_EXAMPLE_BYTES:
            raise _wrong("examples", f"Example {number} is larger than {_MOST_EXAMPLE_BYTES} bytes")
        error = next(validator.iter_errors(dict(example)), None)
        if error is not None:
            place = "".join(f"/{part}" for part in error.instance_path)
            raise _wrong("examples", f"Example {number} does not fit: {place or '/'}: {error}")


def _fields(wanted: ToolUpdate) -> dict[str, Any]:
    sent = wanted.model_dump(exclude_unset=True, exclude={"reason", "updated_at"})
    for name in _NEVER_EMPTY:
        if name in sent and sent[name] is None:
            raise _wrong(name, f"{name} cannot be null. Leave it out to keep it as it is.")
    for name in ("tags", "examples"):
        if name in sent:
            sent[name] = sent[name] or []
    if "risk_level" in sent:
        sent["risk"] = RiskLevel(sent.pop("risk_level")).value
    return sent


def _changes(before: kernel.Tool, fields: Mapping[str, Any]) -> dict[str, object]:
    """Old and new value of what changes; of long ones only that they do."""
    return {
        "risk_level" if name == "risk" else name: (
            "changed"
            if name == "examples"
            else {"from": _plain(getattr(before, name)), "to": value}
        )
        for name, value in fields.items()
    }


def _plain(value: Any) -> object:
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _wrong(field: str, message: str) -> InvalidValue:
    return InvalidValue(message.splitlines()[0][:500], details={"field": field})
