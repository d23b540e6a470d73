"""What a new version of a tool changes for whoever calls it: breaking, risky or safe.

Arguments are what a caller gives: whatever passed before must pass still. A result is what it gets:
whatever it relied on must still be there. And what a model reads steers it, so a changed
description is never safe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from bascule.catalogue.comparison import Difference, compare
from bascule.catalogue.constraints import Effect, canonical, shown
from bascule.catalogue.openapi.wording import LONGEST_TITLE, heading, shorten
from bascule.gateway.tool import McpSource, RestSource, RiskLevel, Tool

_MOST_CHANGES: Final = 200


class Severity(StrEnum):
    """How a change concerns callers, the worst first."""

    BREAKING = "breaking"
    RISKY = "risky"
    SAFE = "safe"


_ORDER: Final = tuple(Severity)
_RISKS: Final = tuple(RiskLevel)


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `place` is where in the tool (`input.filter.tags[]`), `kind` what it is about."""

    severity: Severity
    place: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class ToolShape:
    """What a caller can notice of a tool.

    `risk`, `method` and `path` are empty where nothing is known of them; `annotations` are the
    hints of an MCP tool. `wire` stands for how arguments travel: only equality counts. Whether one
    has to be there is for the input schema to say.
    """

    name: str
    description: str = ""
    input_schema: Mapping[str, object] = field(default_factory=dict[str, object])
    output_schema: Mapping[str, object] | None = None
    title: str | None = None
    risk: str = ""
    method: str = ""
    path: str = ""
    idempotent: bool = False
    annotations: Mapping[str, object] = field(default_factory=dict[str, object])
    wire: object = None
    tags: tuple[str, ...] = ()
    examples: tuple[Mapping[str, object], ...] = ()


def shape_of(tool: Tool) -> ToolShape:
    """The shape of a tool of the registry."""
    rest = tool.source if isinstance(tool.source, RestSource) else None
    return ToolShape(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        title=tool.title,
        risk=tool.risk.value,
        method=rest.method if rest else "",
        path=rest.path if rest else "",
        idempotent=tool.idempotent,
        wire=_wire(rest) if rest else _rpc(tool),
        tags=tool.tags,
        examples=tool.examples,
    )


def _wire(source: RestSource) -> object:
    body = source.body
    return replace(
        source,
        upstream="",
        method="",
        path="",
        parameters=tuple(replace(one, required=False) for one in source.parameters),
        body=None if body is None else replace(body, required=False),
    )


def _rpc(tool: Tool) -> object:
    """How a tool is called that is no REST one; None for what an MCP server calls by its name."""
    source = tool.source
    return None if isinstance(source, McpSource) else replace(source, upstream="")


def diff_tools(old: ToolShape, new: ToolShape) -> tuple[Change, ...]:
    """What `new` changes about `old`, the worst first; nothing where they are equal."""
    found = [
        *_named(old, new),
        *_read_by_models(old, new),
        *_inputs(old, new),
        *_outputs(old, new),
        *_dangers(old, new),
        *_calls(old, new),
        *_labels(old, new),
    ]
    found.sort(key=lambda change: _ORDER.index(change.severity))
    return _at_most(found)


def worst(changes: Sequence[Change]) -> Severity | None:
    """The worst severity among `changes`."""
    return min((change.severity for change in changes), key=_ORDER.index, default=None)


def _at_most(found: Sequence[Change]) -> tuple[Change, ...]:
    if len(found) <= _MOST_CHANGES:
        return tuple(found)
    rest = found[_MOST_CHANGES:]
    more = f"And {len(rest)} more changes."
    return (*found[:_MOST_CHANGES], Change(rest[0].severity, "", "more", more))


def _named(old: ToolShape, new: ToolShape) -> list[Change]:
    if old.name == new.name:
        return []
    message = f"The tool was named {old.name}, and is named {new.name}."
    return [Change(Severity.BREAKING, "name", "name", message)]


def _read_by_models(old: ToolShape, new: ToolShape) -> list[Change]:
    texts = (("title", old.title, new.title), ("description", old.description, new.description))
    if old.description != new.description and _is_titled_so(old) and _is_titled_so(new):
        texts = texts[1:]  # both come from one summary: its change is told once
    changes = [
        Change(Severity.RISKY, kind, kind, f"The {kind} was {_text(was)}, and is {_text(now)}.")
        for kind, was, now in texts
        if was != now
    ]
    if canonical(old.examples) != canonical(new.examples):
        message = "The examples of arguments changed."
        changes.append(Change(Severity.RISKY, "examples", "examples", message))
    return changes


def _is_titled_so(shape: ToolShape) -> bool:
    """Whether the title is what makes a heading of the description."""
    return shape.title == shorten(heading(shape.description), LONGEST_TITLE)


def _inputs(old: ToolShape, new: ToolShape) -> list[Change]:
    found = compare(old.input_schema, new.input_schema, "input", "argument")
    return [_change(one, _input_severity(one)) for one in found]


def _input_severity(found: Difference) -> Severity:
    if found.kind == "property.added" and found.effect is Effect.NARROWS:
        # It was let through unchecked, and hardly anybody sent it.
        return Severity.RISKY
    if found.effect in (Effect.NARROWS, Effect.SHIFTS):
        return Severity.BREAKING
    if found.effect is Effect.WIDENS and found.kind != "property.removed":
        return Severity.SAFE
    return Severity.RISKY


def _outputs(old: ToolShape, new: ToolShape) -> list[Change]:
    before, after = old.output_schema, new.output_schema
    if before is None and after is None:
        return []
    if after is None:
        message = "The result is not described any more."
        return [Change(Severity.BREAKING, "output", "output.removed", message)]
    if before is None:
        message = "The result is described now, and checked against that."
        return [Change(Severity.RISKY, "output", "output.added", message)]
    found = compare(before, after, "output", "member")
    return [_change(one, _output_severity(one)) for one in found]


def _output_severity(found: Difference) -> Severity:
    if found.kind == "property.removed":
        return Severity.BREAKING
    if found.effect is Effect.NARROWS:
        return Severity.SAFE
    is_relied_on = found.kind in ("type", "required.removed")
    if is_relied_on and found.effect in (Effect.WIDENS, Effect.SHIFTS):
        return Severity.BREAKING
    return Severity.RISKY


def _dangers(old: ToolShape, new: ToolShape) -> list[Change]:
    changes: list[Change] = []
    if old.risk != new.risk:
        is_raised = _level(new.risk) > _level(old.risk)
        hint = "callers with rules for less may not call it" if is_raised else "more may call it"
        message = f"The risk level was {old.risk or 'none'}, and is {new.risk or 'none'}: {hint}."
        severity = Severity.BREAKING if is_raised else Severity.RISKY
        changes.append(Change(severity, "risk", "risk", message))
    if old.idempotent != new.idempotent:
        what = "may be sent again" if new.idempotent else "is sent once only"
        message = f"A call that fails half-way {what} now."
        changes.append(Change(Severity.RISKY, "idempotent", "idempotent", message))
    for name in {**old.annotations, **new.annotations}:
        was, now = old.annotations.get(name), new.annotations.get(name)
        if canonical(was) != canonical(now):
            message = f"The annotation `{name}` was {shown(was)}, and is {shown(now)}."
            changes.append(Change(Severity.RISKY, f"annotations.{name}", "annotation", message))
    return changes


def _calls(old: ToolShape, new: ToolShape) -> list[Change]:
    before, after = f"{old.method} {old.path}".strip(), f"{new.method} {new.path}".strip()
    if before != after:
        message = f"It calls {after}, where it called {before}."
        return [Change(Severity.RISKY, "operation", "operation", message)]
    if old.wire != new.wire:
        message = "Arguments travel in another way to the service."
        return [Change(Severity.RISKY, "wire", "wire", message)]
    return []


def _labels(old: ToolShape, new: ToolShape) -> list[Change]:
    if old.tags == new.tags:
        return []
    message = f"The tags were {shown(list(old.tags))}, and are {shown(list(new.tags))}."
    return [Change(Severity.SAFE, "tags", "tags", message)]


def _change(found: Difference, severity: Severity) -> Change:
    return Change(severity, found.place, found.kind, found.message)


def _level(risk: str) -> int:
    return next((rank for rank, level in enumerate(_RISKS, 1) if level == risk), 0)


def _text(text: str | None) -> str:
    return "nothing" if text is None else shown(text)
