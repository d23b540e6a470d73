"""What it means that a server defines a tool otherwise than was approved."""

from collections.abc import Mapping
from typing import Any, Final, cast

from bascule.catalogue.diffing import Change, Severity, ToolShape, diff_tools

_COMPARED: Final = frozenset(
    {"name", "title", "description", "inputSchema", "outputSchema", "annotations"}
)


def changes_between(approved: Mapping[str, Any], waiting: Mapping[str, Any]) -> tuple[Change, ...]:
    """The differences of two MCP Tool objects, the worst first where the comparison says so.

    Members that only clients know (`icons`, `execution`, `_meta`) count as risky: they say what is
    shown to people, and how a call is run.
    """
    changes = list(diff_tools(_shape(approved), _shape(waiting)))
    for member in sorted((approved.keys() | waiting.keys()) - _COMPARED):
        if approved.get(member) != waiting.get(member):
            what = "added" if member not in approved else "changed"
            what = "removed" if member not in waiting else what
            message = f"{member} was {what}; look at what clients do with it"
            changes.append(Change(Severity.RISKY, member, "member", message))
    return tuple(changes)


def _shape(definition: Mapping[str, Any]) -> ToolShape:
    output = definition.get("outputSchema")
    return ToolShape(
        name=_text(definition, "name"),
        description=_text(definition, "description"),
        title=_text(definition, "title") or None,
        input_schema=_object(definition.get("inputSchema")),
        output_schema=None if output is None else _object(output),
        annotations=_object(definition.get("annotations")),
    )


def _text(definition: Mapping[str, Any], member: str) -> str:
    value = definition.get(member)
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
