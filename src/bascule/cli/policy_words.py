"""A policy in a row of a table: what it does, to whom, about what, and when."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bascule.gateway.rule import Action, RuleKind

COLUMNS: Final = ("name", "effect", "who", "what", "when", "type", "priority", "is_active")
"""Those that matter most come first: narrow terminals leave the last ones out."""

_EFFECTS: Final = {
    RuleKind.ALLOW_LIST: "only these",
    RuleKind.DENY_LIST: "deny",
    RuleKind.RATE_LIMIT: "refuse",
    RuleKind.REGO: "by its Rego",
}
"""What policies do that have no effect of their own."""
_ONLY: Final = {(Action.DISCOVER,): "only to see", (Action.INVOKE,): "only to call"}

Policy = Mapping[str, Any]
"""A policy as the REST API shows it."""


def row_of(policy: Policy) -> dict[str, Any]:
    """`policy` under `COLUMNS`."""
    kind = RuleKind(policy["type"])
    effect = _EFFECTS.get(kind) or str(policy["effect"])
    return {
        **policy,
        "effect": effect if policy["is_active"] else f"{effect}, off",
        "who": _who(policy),
        "what": _what(policy),
        "when": _when(policy),
    }


def _who(policy: Policy) -> str:
    named = (
        _counted(one, policy[plural])
        for one, plural in (
            *(("role", "roles"), ("user", "users")),
            *(("group", "groups"), ("agent", "agents")),
        )
        if policy[plural]
    )
    return " and ".join(named) or "everybody"


def _what(policy: Policy) -> str:
    things = [*policy["tools"]]
    things += [f"prompt {one}" for one in policy["prompts"]]
    things += [f"resource {one}" for one in policy["resources"]]
    about = ", ".join(things) or "everything"
    if policy["bundles"]:
        about += f" in {' or '.join(policy['bundles'])}"
    parts = [about]
    if policy["risks"]:
        parts.append(f"risk {' or '.join(policy['risks'])}")
    if policy["tags"]:
        parts.append(_counted("tag", policy["tags"]))
    only = _ONLY.get(tuple(policy["actions"]))
    return "; ".join([*parts, only] if only else parts)


def _when(policy: Policy) -> str:
    when, rate = policy["when"], policy["rate"]
    parts: list[str] = []
    if when["windows"]:
        parts.append(" or ".join(_window(one) for one in when["windows"]))
    if when["networks"]:
        parts.append(f"from {' or '.join(when['networks'])}")
    if when["arguments"]:
        parts.append(" and ".join(_test(one) for one in when["arguments"]))
    if rate is not None:
        per = " and ".join(rate["per"])
        each = f" per {per}" if per else ""
        parts.append(f"beyond {rate['calls']} calls in {rate['window_seconds']:g} s{each}")
    return "; ".join(parts) or "always"


def _window(window: Policy) -> str:
    return " ".join(_times(window))


def _times(window: Policy) -> Iterator[str]:
    is_daily = (window["from"], window["to"]) != ("00:00", "24:00")
    bounds = [(word, window[member]) for word, member in _BOUNDS if window[member]]
    if window["days"]:
        yield ", ".join(window["days"])
    if is_daily:
        yield f"{window['from']}-{window['to']}"
    if window["days"] or is_daily:
        yield window["zone"]
    elif not bounds:
        yield "every day"
    for word, moment in bounds:
        yield f"{word} {moment}"


_BOUNDS: Final = (("from", "not_before"), ("until", "not_after"))


def _test(test: Policy) -> str:
    path, value = test["path"], test["value"]
    parts = [path if isinstance(path, str) else json.dumps(path, ensure_ascii=False)]
    parts.append(test["op"].replace("_", " "))
    if value is not None:
        parts.append(json.dumps(value, ensure_ascii=False))
    return " ".join(parts)


def _counted(noun: str, names: Sequence[str]) -> str:
    return f"{noun} {' or '.join(names)}"
