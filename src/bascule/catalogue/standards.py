"""What a tenant asks of a tool's metadata before it is published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bascule.gateway.tool import Tool


class Field(StrEnum):
    """The fields that a standard can ask for."""

    OWNER = "owner"
    DOMAIN = "domain"
    TAGS = "tags"
    TITLE = "title"
    DESCRIPTION = "description"
    EXAMPLES = "examples"


@dataclass(frozen=True, slots=True)
class Standard:
    """Fields that must not be empty, how many tags there must be, and which values are allowed.

    A field that `allowed` does not name may have any value.
    """

    required: tuple[Field, ...] = ()
    minimum_tags: int = 0
    allowed: Mapping[Field, tuple[str, ...]] = field(default_factory=dict[Field, tuple[str, ...]])


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a tool lacks; `message` says what to do."""

    field: Field
    message: str


ANYTHING_GOES = Standard()

_MOST_NAMED = 3
_PLURAL = frozenset({Field.TAGS, Field.EXAMPLES})


def violations(standard: Standard, tool: Tool) -> tuple[Violation, ...]:
    """What `tool` lacks, in the order of its fields."""
    found: list[Violation] = []
    for name in Field:
        values = _values(tool, name)
        least = _least(standard, name)
        if len(values) < least:
            found.append(Violation(name, _missing(name, least)))
        allowed = standard.allowed.get(name)
        if allowed is not None:
            foreign = (value for value in values if value not in allowed)
            found += [Violation(name, _foreign(name, value, allowed)) for value in foreign]
    return tuple(found)


def shortfalls(standard: Standard, tools: Iterable[Tool]) -> tuple[str, ...]:
    """What keeps `tools` from being published, a sentence for each thing that some lack."""
    lacking: dict[str, list[str]] = {}
    for tool in tools:
        for one in violations(standard, tool):
            lacking.setdefault(one.message, []).append(tool.name)
    return tuple(_shortfall(message, names) for message, names in lacking.items())


def _shortfall(message: str, names: Sequence[str]) -> str:
    noun = "tool" if len(names) == 1 else "tools"
    more = ", …" if len(names) > _MOST_NAMED else ""
    named = ", ".join(names[:_MOST_NAMED])
    return f"Would not be published: {message} for {len(names)} {noun} ({named}{more})."


def _least(standard: Standard, name: Field) -> int:
    least = 1 if name in standard.required else 0
    return max(least, standard.minimum_tags) if name is Field.TAGS else least


def _values(tool: Tool, name: Field) -> Sequence[str]:
    value = getattr(tool, name)
    if isinstance(value, tuple):
        return [str(one) for one in tool.tags] if name is Field.TAGS else [""] * len(tool.examples)
    text = (value or "").strip()
    return [text] if text else []


def _missing(name: Field, least: int) -> str:
    if name is Field.TAGS and least > 1:
        return f"tags: at least {least} are required"
    return f"{name} {'are' if name in _PLURAL else 'is'} required"


def _foreign(name: Field, value: str, allowed: Sequence[str]) -> str:
    return f"{name} {value!r} is not allowed; allowed are {', '.join(allowed)}"
