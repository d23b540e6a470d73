"""Putting in force what files declare, through the REST API, as anybody else would."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast
from urllib.parse import quote

from bascule.app.declared.reading import KINDS, Declaration, Problem, Reading

Ledger = dict[str, str]
"""What is in force because a file said so: `kind/name`, and the digest of what was said."""


class Refused(Exception):
    """The API did not do it; `status` is that of HTTP, the text is its sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Site(Protocol):
    """The REST API, as somebody who may change everything."""

    async def ask(self, verb: str, path: str, **body: Any) -> Any:
        """Send a request and decode the answer.

        Raises:
            Refused: it was not done.
        """
        ...


@dataclass(slots=True)
class Outcome:
    """What was done: `kind/name` of each, and what could not be.

    `left` is what is declared no more and stays in force, each with what to do about it.
    """

    applied: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    left: list[Problem] = field(default_factory=list[Problem])
    problems: list[Problem] = field(default_factory=list[Problem])

    def __bool__(self) -> bool:
        return bool(self.applied or self.removed or self.left or self.problems)


async def apply(site: Site, reading: Reading, ledger: Ledger) -> Outcome:
    """Bring `site` to what `reading` says; `ledger` is what was said before, and is kept up.

    What did not change is not touched. What is declared no more is removed, unless a file of the
    folder is broken: it might be declared there. What cannot be put in force leaves the last
    state, and all others go on.
    """
    outcome = Outcome(problems=list(reading.problems))
    for one in reading.declarations:
        if ledger.get(one.key) == one.digest:
            continue
        try:
            await _PUT[one.kind](site, one)
        except Refused as refusal:
            outcome.problems.append(Problem(one.place, f"{one.key}: {refusal}"))
            continue
        ledger[one.key] = one.digest
        outcome.applied.append(one.key)
    if not reading.broken:
        await _remove(site, reading, ledger, outcome)
    return outcome


async def _remove(site: Site, reading: Reading, ledger: Ledger, outcome: Outcome) -> None:
    declared = {one.key for one in reading.declarations}
    gone = [key for key in ledger if key not in declared]
    for key in sorted(gone, key=lambda one: -KINDS.index(one.partition("/")[0])):
        kind, _, name = key.partition("/")
        if kind in _LEFT:
            del ledger[key]
            outcome.left.append(Problem(key, _LEFT[kind].format(name=name)))
            continue
        try:
            await _DROP[kind](site, name)
        except Refused as refusal:
            if refusal.status != 404:
                outcome.problems.append(Problem(key, f"It is declared no more, but: {refusal}"))
                continue
        del ledger[key]
        outcome.removed.append(key)


def _path(*parts: str) -> str:
    return "/".join(["/api/admin", *(quote(part, safe="") for part in parts)])


async def _replace(site: Site, one: Declaration) -> None:
    await site.ask("PUT", _path(one.kind, one.name), json={**one.body})


async def _replace_named(site: Site, one: Declaration) -> None:
    await site.ask("PUT", _path(one.kind, one.name), json={**one.body, "name": one.name})


async def _import(site: Site, one: Declaration) -> None:
    document = one.document
    if document is None:
        raise RuntimeError("an API is read with its document")
    form = {
        "bundle_id": one.name,
        "auto_publish": "true" if one.body.get("publish", True) else "false",
    }
    if one.body.get("base_url"):
        form["base_url"] = str(one.body["base_url"])
    await site.ask("POST", _path("openapi"), data=form, files={"file": document})


async def _make_or_change(site: Site, one: Declaration) -> None:
    """A tool: what makes it is fixed, the rest may change."""
    path = _path("tools", one.name)
    try:
        known = await site.ask("GET", path)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        await site.ask("POST", _path("tools"), json={**one.body, "name": one.name})
        return
    changes = {
        member: value
        for member, value in one.body.items()
        if member not in _FIXED or known.get(member) != value
    }
    status = changes.pop("status", "active" if known.get("status") == "inactive" else None)
    if changes:
        await site.ask("PATCH", path, json=changes)
    if status is not None and status != known.get("status"):
        await site.ask("POST", f"{path}/status", json={"status": status})


_FIXED: Final = frozenset(
    {"bundle", "upstream", "method", "path", "version", "parameters", "body", "input_schema"}
)


async def _select(site: Site, one: Declaration) -> None:
    """A bundle with exactly these members."""
    wanted = {_shown(member): member for member in _members(one)}
    path = _path("bundles", one.name)
    try:
        known = await site.ask("GET", path)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        await site.ask("POST", _path("bundles"), json={**one.body, "name": one.name})
        return
    changes = {member: value for member, value in one.body.items() if member != "members"}
    if changes:
        await site.ask("PATCH", path, json=changes)
    have = {str(member["name"]): member for member in known.get("members", ())}
    for name in have.keys() - wanted.keys():
        await site.ask("DELETE", f"{path}/members/{quote(name, safe='')}")
    for name, member in wanted.items():
        if name not in have:
            await site.ask("POST", f"{path}/members", json=member)
        elif _differs(member, have[name]):
            await site.ask("DELETE", f"{path}/members/{quote(name, safe='')}")
            await site.ask("POST", f"{path}/members", json=member)


def _members(one: Declaration) -> Sequence[Mapping[str, Any]]:
    members: Any = one.body.get("members", [])
    if not isinstance(members, list) or not all(
        isinstance(item, dict) for item in cast("list[Any]", members)
    ):
        raise Refused(400, "members must be a list of objects")
    return cast("list[dict[str, Any]]", members)


def _shown(member: Mapping[str, Any]) -> str:
    return str(member.get("name") or member.get("tool"))


def _differs(wanted: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    usual: dict[str, Any] = {"version": "", "description": "", "defaults": {}}
    return any(
        wanted.get(member, default) != known.get(member, default)
        for member, default in usual.items()
    )


async def _delete(site: Site, kind: str, name: str) -> None:
    await site.ask("DELETE", _path(kind, name))


async def _switch_off(site: Site, name: str) -> None:
    await site.ask("POST", f"{_path('tools', name)}/status", json={"status": "inactive"})


def _deleting(kind: str) -> Callable[[Site, str], Awaitable[None]]:
    async def drop(site: Site, name: str) -> None:
        await _delete(site, kind, name)

    return drop


_PUT: Final[Mapping[str, Callable[[Site, Declaration], Awaitable[None]]]] = {
    "upstreams": _replace,
    "servers": _replace_named,
    "apis": _import,
    "tools": _make_or_change,
    "bundles": _select,
    "policies": _replace_named,
}
_DROP: Final[Mapping[str, Callable[[Site, str], Awaitable[None]]]] = {
    **{kind: _deleting(kind) for kind in ("upstreams", "servers", "bundles", "policies")},
    "tools": _switch_off,
}
_LEFT: Final = {
    "apis": (
        "It is declared no more. The tools of its bundle {name} stay in force, as others may use "
        "them: switch off those that nobody needs with `bascule tools status TOOL inactive`, or "
        "roll its import back with `bascule import rollback ID`."
    )
}
