"""Questions about decisions, and their answers, as the REST API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bascule.api.bodies import about
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

    user: Annotated[
        Word | None, about("Name of a user; one without an account is somebody of that name.")
    ] = None
    key: Annotated[Word | None, about("The name or the id of an API key.")] = None
    roles: Annotated[Words, about("Roles that the caller has.")] = []
    groups: Annotated[
        Words, about("Groups that the caller is in; they bring the roles they are mapped to.")
    ] = []
    agent: Annotated[Word | None, about("The agent that acts for them; null for none.")] = None


class Circumstances(BaseModel):
    """When, from where and with what. Arguments that are not given are not known."""

    arguments: Annotated[
        Annotated[dict[str, Any], Field(max_length=1000)] | None,
        about("Arguments of the call, by name; null: not known."),
    ] = None
    time: Annotated[AwareDatetime | None, about("Now, where it is not given.")] = None
    ip: Annotated[Address | None, about("Address that the caller comes from; null: not known.")] = (
        None
    )


class Explain(Whom, Circumstances):
    """A use to be explained. `tool` may have a version behind it: `refund@1.2`."""

    tool: Annotated[
        Uri,
        about("Name of a tool (`refund`, `refund@1.2`) or prompt, or the URI of a template."),
    ]
    kind: Annotated[Literal["tool", "prompt", "template"], about("What `tool` names.")] = "tool"
    bundle: Annotated[
        Annotated[str, Field(max_length=100)],
        about("The bundle through which it is reached; empty for the whole catalogue."),
    ] = ""
    action: Annotated[Action, about("`discover`: see it in lists; `invoke`: use it.")] = (
        Action.INVOKE
    )


class Simulate(Explain):
    """A use to be tried, by the policies in force or with the changes of a draft."""

    draft: Annotated[
        Word | None, about("Name of a draft whose changes count; null: the policies in force.")
    ] = None


class Finding(BaseModel):
    """One policy, and what it did here."""

    policy: Annotated[str, about("Name of the policy.")]
    type: Annotated[RuleKind, about("What sort of policy it is.")]
    effect: Annotated[str, about("What it does.")]
    applied: Annotated[bool, about("Whether it was about this use, under these circumstances.")]
    decisive: Annotated[bool, about("Whether it decided.")]
    why: Annotated[str, about("What it matched, or what it failed on.")]


class AboutCaller(BaseModel):
    """Who was asked about."""

    name: Annotated[str, about("Name of the user or key.")]
    roles: Annotated[list[str], about("Roles, those of groups included.")]
    groups: Annotated[list[str], about("Groups.")]
    agent: Annotated[str | None, about("The agent that acts for them; null for none.")]


class Explained(BaseModel):
    """A decision, and why.

    `effect` is `elevate` where somebody has to approve first. `policies` begin with the one that
    decided; `left_out` counts those that are not shown. `needed` are ways to be allowed.
    """

    tool: Annotated[str, about("What was asked about.")]
    action: Annotated[Action, about("`discover` or `invoke`; what is not seen cannot be invoked.")]
    caller: Annotated[AboutCaller, about("The caller it was asked about.")]
    effect: Annotated[Effect, about("What is decided: `allow`, `deny` or `elevate`.")]
    rule: Annotated[str, about("The policy that decided, or a name that begins with `builtin:`.")]
    reason: Annotated[str, about("Why, in a sentence.")]
    policies: Annotated[list[Finding], about("What each policy did, the one that decided first.")]
    left_out: Annotated[int, about("How many policies are not shown.")]
    needed: Annotated[list[str], about("Ways to be allowed.")]
    evaluated: Annotated[list[str], about("Names of the policies that applied.")]
    inputs: Annotated[
        list[str], about("What was read to decide, as `roles` or `arguments.amount`.")
    ]
    policy_version: Annotated[int, about("Number of the version of policies that decided.")]
    time: Annotated[datetime, about("The moment that was decided about.")]


class Simulated(BaseModel):
    """What was decided; with a draft, also what is decided without it."""

    decision: Annotated[Explained, about("What would be decided.")]
    in_force: Annotated[
        Explained | None, about("What is decided without the draft; null where none was named.")
    ]
    changes: Annotated[bool, about("Whether the draft makes a difference.")]


class OwnExplained(BaseModel):
    """Whether the caller may call a tool. What it cannot see, there is not."""

    tool: Annotated[str, about("The tool.")]
    effect: Annotated[Effect, about("What is decided about a call.")]
    reason: Annotated[str, about("Why, in a sentence.")]
    depends_on: Annotated[
        list[str],
        about("What a call may bring that decides besides: arguments, the time, the address."),
    ]


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

    tool: Annotated[Uri, about("A name, or a pattern (`get_*`).")] = "*"
    bundle: Annotated[
        Annotated[str, Field(max_length=100)], about("Tools of this bundle; empty: all.")
    ] = ""
    kinds: Annotated[
        Annotated[
            list[Literal["role", "group", "user", "key"]],
            Field(max_length=4),
        ],
        about("Sorts of callers; all four, where none is named."),
    ] = []
    only: Annotated[Only, about("Which cells are wanted.")] = Only.DISCOVER
    after: Annotated[
        Annotated[int, Field(ge=0, le=10**12)], about("`next` of the answer before; 0 to begin.")
    ] = 0
    limit: Annotated[Annotated[int, Field(ge=1, le=500)], about("Most cells in an answer.")] = 100


class Said(BaseModel):
    """What is decided about one action, and by which policy."""

    effect: Annotated[Effect, about("What is decided: `allow`, `deny` or `elevate`.")]
    rule: Annotated[str, about("The policy that decided, or a name that begins with `builtin:`.")]


class Cell(BaseModel):
    """One caller and one tool. `depends_on`: arguments, the time or the address count besides."""

    tool: Annotated[str, about("Name of the tool.")]
    bundle: Annotated[str, about("Its bundle.")]
    risk: Annotated[RiskLevel, about("Its risk level.")]
    kind: Annotated[PartyKind, about("What sort of caller it is about.")]
    name: Annotated[str, about("Name of the caller.")]
    id: Annotated[str | None, about("Of an API key, its id; else null.")]
    discover: Annotated[Said, about("Whether it is seen in lists.")]
    invoke: Annotated[Said, about("Whether it may be used.")]
    depends_on: Annotated[
        list[str], about("What counts besides: arguments, the time, the address.")
    ]


class Matrix(BaseModel):
    """Cells of the matrix. `next` is for `after`: there are more, or may be; None: that was all.

    A user whom an issuer vouches for may have roles besides, which only their token tells.
    """

    cells: Annotated[list[Cell], about("The cells of this answer.")]
    next: Annotated[int | None, about("What `after` must be to go on; null: that was all.")]
    total: Annotated[int, about("All cells, wanted or not.")]
    tools: Annotated[int, about("How many tools there are.")]
    callers: Annotated[int, about("How many callers there are.")]
    policy_version: Annotated[int, about("Number of the version of policies that decided.")]


class ReplayWanted(BaseModel):
    """Which recorded calls are decided again, and by what.

    Without a `draft`, what was recorded is held against what the policies in force say.
    """

    model_config = ConfigDict(extra="forbid")

    draft: Annotated[
        Word | None,
        about("Name of a draft; null: what was recorded against the policies in force."),
    ] = None
    since: Annotated[
        AwareDatetime | None, about("Calls from then on; a week ago, where it is not given.")
    ] = None
    until: Annotated[
        AwareDatetime | None, about("Calls until then; now, where it is not given.")
    ] = None
    tool: Annotated[Word | None, about("Calls of this tool only.")] = None
    user: Annotated[Word | None, about("Calls of this user only.")] = None
    examples: Annotated[
        Annotated[int, Field(ge=0, le=200)], about("Most examples of calls that change.")
    ] = 20


class Outcome(BaseModel):
    """One side of a change; `rule` is empty where the record does not name it."""

    effect: Annotated[Effect, about("What is decided.")]
    rule: Annotated[str, about("The policy that decided; empty where the record does not name it.")]


class ExampleCall(BaseModel):
    """One recorded call that is decided otherwise."""

    change: Annotated[str, about("What changes, as `allowed_to_denied`.")]
    correlation_id: Annotated[str, about("Which call it was: finds its record.")]
    time: Annotated[datetime, about("When it came.")]
    tool: Annotated[str, about("The tool that was called.")]
    user: Annotated[str, about("Who called.")]
    before: Annotated[Outcome, about("What was decided before.")]
    after: Annotated[Outcome, about("What is decided now.")]


class Changes(BaseModel):
    """How many calls of one tool or user change, in all and by the kind of change."""

    name: Annotated[str, about("Name of the tool or user.")]
    total: Annotated[int, about("How many calls change.")]
    by_change: Annotated[dict[str, int], about("How many, by the kind of change.")]


class Comparison(BaseModel):
    """Decisions about the same calls, held against each other: `before` and `after`.

    Changes are named `allowed_to_denied` and so on; `elevation` is in place of `allowed` where
    somebody has to approve. `uncertain` counts calls by what keeps them from being compared:
    `arguments` (masked in the record, and a policy looks at them), `roles` (not in the record) and
    `outcome` (the call ended before policies were asked).
    """

    before: Annotated[str, about("What is compared: the one side.")]
    after: Annotated[str, about("What is compared: the other side.")]
    compared: Annotated[int, about("How many calls were.")]
    unchanged: Annotated[int, about("How many come out the same.")]
    changed: Annotated[int, about("How many do not.")]
    by_change: Annotated[dict[str, int], about("How many, by the kind of change.")]
    uncertain: Annotated[
        dict[str, int], about("How many cannot be compared, by what keeps them from it.")
    ]
    tools: Annotated[list[Changes], about("Tools with most changes first.")]
    users: Annotated[list[Changes], about("Users with most changes first.")]
    more_tools: Annotated[int, about("How many tools with changes are not listed.")]
    more_users: Annotated[int, about("How many users with changes are not listed.")]
    examples: Annotated[list[ExampleCall], about("Some of the calls that change.")]


class GoneTool(BaseModel):
    """A name that was called, and that no tool has."""

    name: Annotated[str, about("The name.")]
    calls: Annotated[int, about("How many calls of it.")]


class Gone(BaseModel):
    """Calls of what there is not any more, or never was: nothing is decided about them."""

    calls: Annotated[int, about("How many calls.")]
    names: Annotated[int, about("How many names.")]
    tools: Annotated[list[GoneTool], about("The most called.")]


class Replayed(BaseModel):
    """What a replay found. The first of `comparisons` is the one that was asked for.

    Only calls of tools are looked at. `is_complete` is False where there were more calls in the
    time span than are gone through; then the newest were.
    """

    draft: Annotated[str | None, about("The draft that was replayed; null for none.")]
    policy_version: Annotated[int, about("Number of the version in force.")]
    since: Annotated[datetime, about("Begin of the time span.")]
    until: Annotated[datetime, about("End of the time span.")]
    looked_at: Annotated[int, about("How many calls were looked at.")]
    is_complete: Annotated[
        bool, about("False: there were more calls, and the newest were looked at.")
    ]
    gone: Annotated[Gone, about("Calls of what there is not any more.")]
    comparisons: Annotated[
        list[Comparison], about("What was held against each other, the one asked for first.")
    ]
