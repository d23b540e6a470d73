"""What an import would do to the registry. Pure: the same plan is previewed, stored and published.

A tool is compared with the version in force. Where they differ, a new version is planned; what an
operator changed by hand is carried over to it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bascule.catalogue.diffing import Change, Severity, diff_tools, shape_of, worst
from bascule.catalogue.numbering import next_version
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.gateway.tool import RestSource, Source, Tool, ToolStatus

LIVE: Final = (ToolStatus.ACTIVE, ToolStatus.DEPRECATED)


class Action(StrEnum):
    """What an import does with a tool."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    """It had vanished from the document, and is back."""
    REMOVED = "removed"
    """It is in force, and not in the document any more."""
    GONE = "gone"
    """An earlier import found it removed, and it still is."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry has under a name.

    `tool` is the version to compare with, `edited` its fields that were changed by hand, `versions`
    all numbers that are taken. `is_removed` where the last import found the tool gone from its
    document, `deprecated` whether the document called it so (None where nobody knows).
    """

    tool: Tool | None = None
    edited: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    is_removed: bool = False
    deprecated: bool | None = None


_NOTHING: Final = Known()


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one tool: its `version`, the one in force `before`, and what differs.

    `kept` names the fields that were edited by hand and stay so. `status` is what the version gets
    when the import is published; `deprecated` is what the document calls the operation.
    """

    name: str
    action: Action
    version: str
    status: ToolStatus
    before: str | None = None
    changes: tuple[Change, ...] = ()
    kept: tuple[str, ...] = ()
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` for every tool concerned, `tools` as the import leaves those of the document.

    `new` are the versions to be stored, `changes` those of the whole API.
    """

    steps: tuple[Step, ...]
    tools: tuple[Tool, ...]
    new: tuple[Tool, ...]
    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether everything is already as the document says."""
        settled = (Action.UNCHANGED, Action.GONE)
        return not self.changes and all(step.action in settled for step in self.steps)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an import goes: a bundle, the service that its tools call, and its address so far."""

    bundle: str
    upstream: str = ""
    base_url: str | None = None


def plan_import(
    drafts: Sequence[ToolDraft],
    base_url: str,
    place: Place,
    known: Mapping[str, Known],
    *,
    remove_missing: bool = False,
) -> Plan:
    """Plan the import of `drafts`; `known` has their names, and every name of the same service."""
    steps: list[Step] = []
    tools: list[Tool] = []
    new: list[Tool] = []
    for draft in drafts:
        step, tool = _plan_tool(draft, place, known.get(draft.name, _NOTHING))
        steps.append(step)
        tools.append(tool)
        if step.action in (Action.ADDED, Action.CHANGED):
            new.append(tool)
    names = {draft.name for draft in drafts}
    missing = [(name, known[name]) for name in sorted(known.keys() - names)]
    operations = {
        (draft.source.method, draft.source.path): draft.name
        for draft in drafts
        if isinstance(draft.source, RestSource)
    }
    steps += _missing(missing, place, operations, is_final=remove_missing)
    return Plan(tuple(steps), tuple(tools), tuple(new), _moved(place, base_url))


def summarise(steps: Iterable[Step], changes: Iterable[Change] = ()) -> dict[str, int]:
    """How many tools there are by what becomes of them, and how many changes by severity."""
    steps = tuple(steps)
    actions = Counter(step.action for step in steps)
    every = (*changes, *(change for step in steps for change in step.changes))
    severities = Counter(change.severity for change in every)
    return {
        **{action.value: actions[action] for action in Action},
        **{severity.value: severities[severity] for severity in Severity},
    }


def _plan_tool(draft: ToolDraft, place: Place, known: Known) -> tuple[Step, Tool]:
    made, before = _tool(draft, place), known.tool
    if before is None:
        tool = replace(made, version=next_version(known.versions, Severity.SAFE))
        return _step(draft, Action.ADDED, tool, _first_status(draft), _NEW), tool
    tool = _carry_over(made, before, known)
    changes = _changes(before, tool, known, draft)
    if changes:
        tool = replace(tool, version=next_version(known.versions, worst(changes)))
        return _step(draft, Action.CHANGED, tool, _next_status(draft, known), changes, known), tool
    if known.is_removed:
        status = _next_status(draft, known)
        return _step(draft, Action.RESTORED, before, status, _BACK, known), before
    return _step(draft, Action.UNCHANGED, before, before.status, (), known), before


def _carry_over(made: Tool, before: Tool, known: Known) -> Tool:
    """What was edited by hand; and who the tool belongs to, where the import does not say."""
    edits = {name: getattr(before, name) for name in known.edited}
    owner, domain = made.owner or before.owner, made.domain or before.domain
    return replace(made, **{"owner": owner, "domain": domain, **edits})


def _step(
    draft: ToolDraft,
    action: Action,
    tool: Tool,
    status: ToolStatus,
    changes: tuple[Change, ...],
    known: Known = _NOTHING,
) -> Step:
    before = None if known.tool is None else known.tool.version
    return Step(
        draft.name, action, tool.version, status, before, changes, known.edited, draft.deprecated
    )


def _changes(before: Tool, tool: Tool, known: Known, draft: ToolDraft) -> tuple[Change, ...]:
    return (
        *diff_tools(shape_of(before), shape_of(tool)),
        *_limited(before, tool),
        *_assigned(before, tool),
        *_flagged(known, draft),
    )


def _tool(draft: ToolDraft, place: Place) -> Tool:
    return Tool(
        name=draft.name,
        title=draft.title,
        description=draft.description,
        bundle=place.bundle,
        source=_source(draft, place),
        input_schema=draft.input_schema,
        output_schema=draft.output_schema,
        risk=draft.risk,
        status=ToolStatus.DRAFT,
        tags=draft.tags,
        owner=draft.owner,
        domain=draft.domain,
        examples=draft.examples,
        idempotent=draft.idempotent,
        timeout_seconds=draft.timeout_seconds,
        cache_seconds=draft.cache_seconds,
    )


def _source(draft: ToolDraft, place: Place) -> Source:
    if isinstance(draft.source, RestSource):
        return replace(draft.source, upstream=place.upstream, server=draft.base_url)
    return replace(draft.source, upstream=place.upstream)


_NEW: Final = (Change(Severity.SAFE, "operation", "operation.added", "A new tool."),)
_BACK: Final = (
    Change(Severity.SAFE, "operation", "operation.restored", "It is in the document again."),
)


def _limited(before: Tool, tool: Tool) -> Iterable[Change]:
    for name, noun in (("timeout_seconds", "time-out"), ("cache_seconds", "time in the cache")):
        was, now = getattr(before, name), getattr(tool, name)
        if was != now:
            message = f"The {noun} was {was or 'not set'}, and is {now or 'not set'} (seconds)."
            yield Change(Severity.RISKY, name, name, message)


def _assigned(before: Tool, tool: Tool) -> Iterable[Change]:
    for name in ("owner", "domain"):
        was, now = getattr(before, name), getattr(tool, name)
        if was != now:
            message = f"The {name} was {was or 'not set'}, and is {now or 'not set'}."
            yield Change(Severity.SAFE, name, name, message)


def _flagged(known: Known, draft: ToolDraft) -> Iterable[Change]:
    """Whether the document calls the operation deprecated, where it did not, or not any more."""
    if known.deprecated in (None, draft.deprecated):
        return
    now = "calls it deprecated now" if draft.deprecated else "does not call it deprecated any more"
    yield Change(Severity.SAFE, "status", "deprecated", f"The document {now}.")


def _first_status(draft: ToolDraft) -> ToolStatus:
    return ToolStatus.DEPRECATED if draft.deprecated else ToolStatus.ACTIVE


def _next_status(draft: ToolDraft, known: Known) -> ToolStatus:
    """What somebody switched off or deprecated by hand stays so."""
    before = known.tool
    if before is None or known.is_removed:
        return _first_status(draft)
    if before.status is ToolStatus.INACTIVE:
        return ToolStatus.INACTIVE
    by_hand = before.status is ToolStatus.DEPRECATED and known.deprecated is False
    return ToolStatus.DEPRECATED if by_hand else _first_status(draft)


def _missing(
    missing: Iterable[tuple[str, Known]],
    place: Place,
    operations: Mapping[tuple[str, str], str],
    *,
    is_final: bool,
) -> Iterable[Step]:
    for name, known in missing:
        tool = known.tool
        if tool is None or tool.source.upstream != place.upstream:
            continue
        is_live = tool.status in LIVE
        if not known.is_removed and not is_live:
            continue
        if known.is_removed and not (is_final and is_live):
            yield Step(name, Action.GONE, tool.version, tool.status, tool.version)
            continue
        status = ToolStatus.INACTIVE if is_final else ToolStatus.DEPRECATED
        change = (_removal(tool, status, operations),)
        yield Step(name, Action.REMOVED, tool.version, status, tool.version, change)


def _removal(tool: Tool, status: ToolStatus, operations: Mapping[tuple[str, str], str]) -> Change:
    reason = "The document has no such operation any more."
    if isinstance(tool.source, RestSource):
        method, path = tool.source.method, tool.source.path
        renamed = operations.get((method, path))
        reason = f"The document has no {method} {path} any more."
        if renamed is not None:
            reason = f"The document calls {method} {path} {renamed} now."
    switched_off = status is ToolStatus.INACTIVE
    fate = "is switched off" if switched_off else "becomes deprecated, and can still be called"
    message = f"{reason} The tool {fate}."
    return Change(Severity.BREAKING, "operation", "operation.removed", message)


def _moved(place: Place, base_url: str) -> tuple[Change, ...]:
    if place.base_url is None or place.base_url == base_url:
        return ()
    message = f"Calls go to {base_url}, where they went to {place.base_url}."
    return (Change(Severity.RISKY, "base_url", "base_url", message),)
