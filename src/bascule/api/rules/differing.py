"""What a change says about policies, line by line, for people."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from bascule.api.rules.conditions import said_of
from bascule.api.rules.values import path_of
from bascule.gateway.rule import Rate, Rule
from bascule.storage.documents import PolicyState, read_policy
from bascule.storage.errors import StorageError
from bascule.storage.repositories.policies import Document
from bascule.storage.repositories.policy_changes import Alteration, Deed

_MOST_LINES: Final = 500
_LONGEST: Final = 300
_MOST_COMPARED: Final = 1000
"""Lines of a file; to compare more takes too long."""
_SETS: Final = (
    *("roles", "users", "groups", "agents", "actions", "bundles", "tools", "prompts"),
    *("resources", "risks", "tags", "networks"),
)


def lines_of(alteration: Alteration) -> list[str]:
    """What was added (`+`), removed (`-`) and changed (`~`) about one policy.

    What is longer than some hundred lines is cut, and says so.
    """
    before, after = (state_in(alteration.policy, one) for one in _both(alteration))
    if alteration.deed is Deed.CHANGED and before is not None and after is not None:
        lines = list(_changes(before, after))
    else:
        lines = list(_whole("-", before)) + list(_whole("+", after))
    if (before, after) == (None, None):
        lines = [f"~ {alteration.policy} cannot be read"]
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"... and {len(lines) - _MOST_LINES} lines more"]
    return [line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..." for line in lines]


def state_in(policy: str, document: Document | None) -> PolicyState | None:
    """What `document` says; None where it says nothing, or what no release understands."""
    try:
        return None if document is None else read_policy(policy, document)
    except StorageError:
        return None


def _both(alteration: Alteration) -> tuple[Document | None, Document | None]:
    return alteration.before, alteration.after


def _whole(sign: str, state: PolicyState | None) -> Iterator[str]:
    if state is None:
        return
    for name, value in _facts(state).items():
        if value not in {"", "0", "yes"}:
            yield f"{sign} {name}: {value}"
    for name, values in _lists(state.rule).items():
        if values:
            yield f"{sign} {name}: {', '.join(values)}"
    yield from (f"{sign} {line}" for line in _rego_lines(state.rule))


def _changes(before: PolicyState, after: PolicyState) -> Iterator[str]:
    facts = _facts(after)
    for name, was in _facts(before).items():
        if was != facts[name]:
            yield f"~ {name}: {was or 'nothing'} -> {facts[name] or 'nothing'}"
    lists = _lists(after.rule)
    for name, had in _lists(before.rule).items():
        yield from _list_changes(name, had, lists[name])
    yield from _rego_changes(before.rule, after.rule)


def _list_changes(name: str, before: list[str], after: list[str]) -> Iterator[str]:
    gone = [one for one in before if one not in after]
    new = [one for one in after if one not in before]
    if gone:
        yield f"- {name}: {', '.join(gone)}"
    if new:
        yield f"+ {name}: {', '.join(new)}"


def _facts(state: PolicyState) -> Mapping[str, str]:
    rule, rate = state.rule, state.rule.rate
    return {
        "type": rule.kind.value,
        "effect": rule.effect.value,
        "priority": str(rule.priority),
        "active": "yes" if state.is_active else "no",
        "rate": "" if rate is None else _said(rate),
        "public": rule.public,
        "description": state.description,
    }


def _said(rate: Rate) -> str:
    per = ", ".join(sorted(rate.per)) or "all"
    return f"{rate.calls} in {rate.window_seconds:g} s per {per}"


def _lists(rule: Rule) -> Mapping[str, list[str]]:
    found = {name: sorted(str(one) for one in getattr(rule, name)) for name in _SETS}
    return {
        **found,
        "windows": [said_of(one) for one in rule.windows],
        "arguments": [
            f"{_path(one.path)} {one.operator.value} {json.dumps(one.value, ensure_ascii=False)}"
            for one in rule.arguments
        ],
    }


def _path(parts: tuple[str, ...]) -> str:
    path = path_of(parts)
    return path if isinstance(path, str) else json.dumps(path, ensure_ascii=False)


def _rego_lines(rule: Rule) -> Iterator[str]:
    for name, text in _files(rule).items():
        yield f"{name}: {len(text.splitlines())} lines"


def _rego_changes(before: Rule, after: Rule) -> Iterator[str]:
    old, new = _files(before), _files(after)
    for name in sorted(old.keys() | new.keys()):
        yield from _file_changes(name, old.get(name, ""), new.get(name, ""))


def _file_changes(name: str, before: str, after: str) -> Iterator[str]:
    if before == after:
        return
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _MOST_COMPARED:
        yield f"~ {name}: {len(old)} lines -> {len(new)} lines"
        return
    changed: Iterable[str] = difflib.unified_diff(old, new, lineterm="", n=0)
    for line in list(changed)[2:]:
        sign = line[:1] if line[:1] in {"+", "-"} else "~"
        yield f"{sign} {name}: {line[1:] if sign != '~' else line.strip('@ ')}"


def _files(rule: Rule) -> Mapping[str, str]:
    """The modules, and the data as indented JSON."""
    if rule.rego is None:
        return {}
    data: Any = msgspec.json.format(rule.rego.data.encode(), indent=1).decode()
    return {**rule.rego.modules, "data.json": data}
