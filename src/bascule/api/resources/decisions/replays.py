"""Going through the journal once more, with the policies in force or those of a draft."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Final

import msgspec

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.policing import access_over, rules_of
from bascule.api.resources.decisions.schemas import (
    Changes,
    Comparison,
    ExampleCall,
    Gone,
    GoneTool,
    Outcome,
    Replayed,
    ReplayWanted,
)
from bascule.api.resources.decisions.whom import keys_of
from bascule.audit.reading import Facts, Filter, records_of
from bascule.gateway.call import Method
from bascule.gateway.errors import Conflict, InvalidValue
from bascule.gateway.snapshot import TenantView
from bascule.policy.authorise import OWN_RULE
from bascule.policy.recalling import Who
from bascule.policy.replaying import Pending, Replay, Setting
from bascule.policy.tallying import Example, Tally, Verdict, largest

MOST_CALLS: Final = 1_000_000
"""Recorded calls that one replay looks at; of more the newest."""
_SLICE: Final = 200
"""Calls between which the event loop has its turn: a few milliseconds."""
_DEFAULT_SPAN: Final = timedelta(days=7)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NAMED: Final = 100
_REGO_SECONDS: Final = 30.0
_LONGEST_NAME: Final = 256
_TOOLS_CALL: Final = str(Method.TOOLS_CALL)


class Line(Facts):
    """A record, as far as a replay looks at it: `bascule.policy.recalling.RecordedCall`."""

    action: str = ""
    event_type: str = ""
    agent: str = ""
    agent_verified: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tool_version: str = ""
    rule: str = ""
    latency_ms: float = 0.0
    error_code: str = ""
    arguments: object = None
    key_id: str = ""
    peer: str = ""
    metadata: dict[str, object] = msgspec.field(default_factory=dict[str, object])

    @property
    def moment(self) -> float:
        """When the call came: it was recorded when it was over."""
        return self.timestamp.timestamp() - self.latency_ms / 1000

    @property
    def who(self) -> Who:
        """Who made it."""
        agent = self.agent if self.agent_verified else ""
        return self.user, agent, self.roles, self.groups, self.key_id

    @property
    def shown(self) -> tuple[str, str]:
        """The bundle that lends the tool, and what it calls it."""
        bundle, shown_as = self.metadata.get("bundle"), self.metadata.get("shown_as")
        is_lent = isinstance(bundle, str) and isinstance(shown_as, str)
        return (str(bundle), str(shown_as)) if is_lent else ("", "")

    @property
    def has_grant(self) -> bool:
        """Whether it was let through by an elevation."""
        return "elevation" in self.metadata


class Running:
    """The tenants whose records are being replayed: one replay for each at a time."""

    def __init__(self) -> None:
        self._tenants: set[str] = set()

    @contextmanager
    def alone(self, tenant: str) -> Generator[None]:
        """Replay for `tenant`.

        Raises:
            Conflict: another replay of it is not finished.
        """
        if tenant in self._tenants:
            raise Conflict(
                "A replay of this tenant's records is running already. Wait until it is finished."
            )
        self._tenants.add(tenant)
        try:
            yield
        finally:
            self._tenants.discard(tenant)


async def replay(
    control: Control,
    caller: Caller,
    wanted: ReplayWanted,
    is_given_up: Callable[[], Awaitable[bool]],
) -> Replayed:
    """Decide the recorded calls of tools again; ends early once `is_given_up`.

    Raises:
        NotFound: there is no such draft.
        InvalidValue: the time span ends before it begins.
    """
    view = control.snapshot().tenant(caller.tenant)
    span = _span(wanted)
    draft = None
    if wanted.draft is not None:
        async with control.read(caller) as rows:
            draft = await rules_of(rows, wanted.draft)
    keys = keys_of(control.snapshot(), view.tenant)
    setting = Setting(view, lambda other: access_over(control, other), draft, keys)
    work = Replay(setting, wanted.examples)
    match = Filter(
        tool_name=wanted.tool,
        user=wanted.user,
        since=span[0],
        until=span[1],
        tenant=view.tenant,
    )
    with closing(Reader(records_of(control.journal_directory, match, Line))) as reader:
        is_complete = await _go_through(work, reader, is_given_up)
    return Replayed(
        draft=wanted.draft,
        policy_version=view.policy_version,
        since=span[0],
        until=span[1],
        looked_at=work.looked_at,
        is_complete=is_complete,
        gone=_gone(work.gone),
        comparisons=_comparisons(work, wanted.draft, view),
    )


class Reader:
    """Calls of tools from the journal, some at a time, by whichever thread."""

    def __init__(self, records: Generator[Line]) -> None:
        self._records = records
        self._lock = Lock()

    def take(self, most: int) -> list[Line]:
        """The next calls, at most so many."""
        with self._lock:
            calls = (one for one in self._records if _is_call(one))
            return list(islice(calls, most))

    def close(self) -> None:
        """Let go of the files, after what another thread may still be taking."""
        with self._lock:
            self._records.close()


def _is_call(line: Line) -> bool:
    """Whether `line` is of a call that policies decide about."""
    return line.action == _TOOLS_CALL and line.rule != OWN_RULE


async def _go_through(
    work: Replay, reader: Reader, is_given_up: Callable[[], Awaitable[bool]]
) -> bool:
    """Whether all calls of `reader` were gone through."""

    def look() -> tuple[bool, Sequence[Pending]]:
        calls = reader.take(min(_SLICE, MOST_CALLS - work.looked_at))
        return len(calls) == _SLICE, work.look(calls)

    while not await is_given_up():
        more, pending = await asyncio.to_thread(look)
        if pending:
            await work.settle(pending, deadline=time.monotonic() + _REGO_SECONDS)
        if not more:
            return work.looked_at < MOST_CALLS
    return False


def _span(wanted: ReplayWanted) -> tuple[datetime, datetime]:
    until = wanted.until or datetime.now(UTC)
    since = wanted.since or until - _DEFAULT_SPAN
    if since > until:
        raise InvalidValue("The time span ends before it begins.", details={"field": "until"})
    # No record is older, and times near year 1 cannot be reckoned with.
    return max(since, _EPOCH), until


def _gone(names: Mapping[str, int]) -> Gone:
    most = sorted(names.items(), key=lambda one: (-one[1], one[0]))[:_MOST_NAMED]
    tools = [GoneTool(name=name[:_LONGEST_NAME], calls=calls) for name, calls in most]
    return Gone(calls=sum(names.values()), names=len(names), tools=tools)


def _comparisons(work: Replay, draft: str | None, view: TenantView) -> list[Comparison]:
    in_force = f"the policies in force (version {view.policy_version})"
    found = [_comparison(work.recorded, "what was recorded", in_force)]
    if draft is not None:
        found.insert(0, _comparison(work.drafted, in_force, f"the draft {draft}"))
    return found


def _comparison(tally: Tally, before: str, after: str) -> Comparison:
    return Comparison(
        before=before,
        after=after,
        compared=tally.compared,
        unchanged=tally.unchanged,
        changed=tally.changed.total(),
        by_change=dict(tally.changed),
        uncertain={str(why): count for why, count in tally.doubts.items()},
        tools=_changes(tally.tools),
        users=_changes(tally.users),
        more_tools=max(0, len(tally.tools) - _MOST_NAMED),
        more_users=max(0, len(tally.users) - _MOST_NAMED),
        examples=[_example(one) for one in tally.examples],
    )


def _changes(by_name: dict[str, Counter[str]]) -> list[Changes]:
    return [
        Changes(name=name, total=counts.total(), by_change=dict(counts))
        for name, counts in largest(by_name, _MOST_NAMED)
    ]


def _example(example: Example) -> ExampleCall:
    return ExampleCall(
        change=example.change,
        correlation_id=example.correlation_id,
        time=datetime.fromtimestamp(example.time, UTC),
        tool=example.tool,
        user=example.user,
        before=_outcome(example.before),
        after=_outcome(example.after),
    )


def _outcome(verdict: Verdict) -> Outcome:
    return Outcome(effect=verdict.effect, rule=verdict.rule)
