"""Questions about decisions, and their answers, as the REST API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bascule.api.rules.cases import Address
from bascule.gateway.rule import Action, Effect, RuleKind
from bascule.gateway.tool import RiskLevel

Word = Annotated[str, Field(min_length=1, max_length=300)]
Words = Annotated[list[Word], Field(max_length=50)]
Uri = Annotated[str, Field(min_length=1, max_length=2048)]


class Whom(BaseModel):
    """A caller: a user or an API key of the tenant, or somebody with these roles and groups.

    A `user` without an account is somebody of that name. Nothing at all means who asks.
    """

    model_config = ConfigDict(extra="forbid")

    user: Word | None = None
    key: Word | None = None
    """The name or the id of an API key."""
    roles: Words = []
    groups: Words = []
    agent: Word | None = None


class Circumstances(BaseModel):
    """When, from where and with what. Arguments that are not given are not known."""

    arguments: Annotated[dict[str, Any], Field(max_length=1000)] | None = None
    time: AwareDatetime | None = None
    """Now, where it is not given."""
    ip: Address | None = None


class Explain(Whom, Circumstances):
    """A use to be explained. `tool` may have a version behind it: `refund@1.2`."""

    tool: Uri
    kind: Literal["tool", "prompt", "template"] = "tool"
    bundle: Annotated[str, Field(max_length=100)] = ""
    """The bundle through which it is reached; empty for the whole catalogue."""
    action: Action = Action.INVOKE


class Simulate(Explain):
    """A use to be tried, by the policies in force or with the changes of a draft."""

    draft: Word | None = None


class Finding(BaseModel):
    """One policy, and what it did here."""

    policy: str
    type: RuleKind
    effect: str
    applied: bool
    decisive: bool
    why: str


class AboutCaller(BaseModel):
    """Who was asked about."""

    name: str
    roles: list[str]
    groups: list[str]
    agent: str | None


class Explained(BaseModel):
    """A decision, and why.

    `effect` is `elevate` where somebody has to approve first. `policies` begin with the one that
    decided; `left_out` counts those that are not shown. `needed` are ways to be allowed.
    """

    tool: str
    action: Action
    caller: AboutCaller
    effect: Effect
    rule: str
    reason: str
    policies: list[Finding]
    left_out: int
    needed: list[str]
    evaluated: list[str]
    inputs: list[str]
    policy_version: int
    time: datetime
    """The moment that was decided about."""


class Simulated(BaseModel):
    """What was decided; with a draft, also what is decided without it."""

    decision: Explained
    in_force: Explained | None
    changes: bool
    """Whether the draft makes a difference."""


class OwnExplained(BaseModel):
    """Whether the caller may call a tool. What it cannot see, there is not."""

    tool: str
    effect: Effect
    reason: str
    depends_on: list[str]
    """What a call may bring that decides besides: arguments, the time, the address."""


class PartyKind(StrEnum):
    """What sort of caller a row is about."""

    ROLE = "role"
    GROUP = "group"
    USER = "user"
    KEY = "key"
    CALLER = "caller"


class Only(StrEnum):
    """Which rows are wanted."""

    ALL = "all"
    DISCOVER = "discover"
    """Of whom sees the tool."""
    INVOKE = "invoke"
    """Of whom may call it, at once or after an elevation."""
    ELEVATE = "elevate"
    """Of whom needs an elevation to call it."""


class WhoCan(Whom, Circumstances):
    """Whose and which cells of the matrix are wanted.

    `tool` is a name or a pattern (get_*). Where a caller is named, there are only its cells;
    otherwise those of the tenant's roles, groups, users and API keys. Tools and callers are gone
    through in order; `after` is where the last answer stopped.
    """

    tool: Uri = "*"
    bundle: Annotated[str, Field(max_length=100)] = ""
    kinds: Annotated[
        list[Literal["role", "group", "user", "key"]],
        Field(max_length=4),
    ] = []
    """All four, where none is named."""
    only: Only = Only.DISCOVER
    after: Annotated[int, Field(ge=0, le=10**12)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class Said(BaseModel):
    """What is decided about one action, and by which policy."""

    effect: Effect
    rule: str


class Cell(BaseModel):
    """One caller and one tool. `depends_on`: arguments, the time or the address count besides."""

    tool: str
    bundle: str
    risk: RiskLevel
    kind: PartyKind
    name: str
    id: str | None
    """Of an API key."""
    discover: Said
    invoke: Said
    depends_on: list[str]


class Matrix(BaseModel):
    """Cells of the matrix. `next` is for `after`: there are more, or may be; None: that was all.

    A user whom an issuer vouches for may have roles besides, which only their token tells.
    """

    cells: list[Cell]
    next: int | None
    total: int
    """All cells, wanted or not."""
    tools: int
    callers: int
    policy_version: int


class ReplayWanted(BaseModel):
    """Which recorded calls are decided again, and by what.

    Without a `draft`, what was recorded is held against what the policies in force say.
    """

    model_config = ConfigDict(extra="forbid")

    draft: Word | None = None
    since: AwareDatetime | None = None
    """A week ago, where it is not given."""
    until: AwareDatetime | None = None
    tool: Word | None = None
    user: Word | None = None
    examples: Annotated[int, Field(ge=0, le=200)] = 20


class Outcome(BaseModel):
    """One side of a change; `rule` is empty where the record does not name it."""

    effect: Effect
    rule: str


class ExampleCall(BaseModel):
    """One recorded call that is decided otherwise."""

    change: str
    correlation_id: str
    time: datetime
    tool: str
    user: str
    before: Outcome
    after: Outcome


class Changes(BaseModel):
    """How many calls of one tool or user change, in all and by the kind of change."""

    name: str
    total: int
    by_change: dict[str, int]


class Comparison(BaseModel):
    """Decisions about the same calls, held against each other: `before` and `after`.

    Changes are named `allowed_to_denied` and so on; `elevation` is in place of `allowed` where
    somebody has to approve. `uncertain` counts calls by what keeps them from being compared:
    `arguments` (masked in the record, and a policy looks at them), `roles` (not in the record) and
    `outcome` (the call ended before policies were asked).
    """

    before: str
    after: str
    compared: int
    unchanged: int
    changed: int
    by_change: dict[str, int]
    uncertain: dict[str, int]
    tools: list[Changes]
    users: list[Changes]
    more_tools: int
    more_users: int
    examples: list[ExampleCall]


class GoneTool(BaseModel):
    """A name that was called, and that no tool has."""

    name: str
    calls: int


class Gone(BaseModel):
    """Calls of what there is not any more, or never was: nothing is decided about them."""

    calls: int
    names: int
    tools: list[GoneTool]
    """The most called."""


class Replayed(BaseModel):
    """What a replay found. The first of `comparisons` is the one that was asked for.

    Only calls of tools are looked at. `is_complete` is False where there were more calls in the
    time span than are gone through; then the newest were.
    """

    draft: str | None
    policy_version: int
    since: datetime
    until: datetime
    looked_at: int
    is_complete: bool
    gone: Gone
    comparisons: list[Comparison]
