"""Policies as the REST API takes and shows them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body, about
from bascule.api.names import Name
from bascule.api.rules.conditions import When, when_of
from bascule.api.rules.values import Pattern, Uri, storable
from bascule.api.rules.verbatim import JsonText, Verbatim
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import Action, Effect, Per, Rate, Rule, RuleKind
from bascule.gateway.tool import RiskLevel
from bascule.storage.documents import PolicyState

MOST_NAMES: Final = 200
_LONGEST_REASON: Final = 1000
_IMPLIED: Final[Mapping[RuleKind, Effect]] = {
    RuleKind.ALLOW_LIST: Effect.ALLOW,
    RuleKind.DENY_LIST: Effect.DENY,
    # What reads only the effect of these must not take them for leave.
    RuleKind.RATE_LIMIT: Effect.DENY,
    RuleKind.REGO: Effect.DENY,
}
_ON_A_LIST: Final = ("tools", "prompts", "resources")
_WHO: Final = ("users", "groups", "agents")
_DENIABLE: Final = (*_ON_A_LIST, *_WHO, "roles", "bundles", "risks", "tags")
_WHEN: Final = ("windows", "networks", "arguments")


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise PydanticCustomError("line", "This is one line without a space at its ends")
    return text


Names = Annotated[list[Pattern], Field(max_length=MOST_NAMES)]
Uris = Annotated[list[Uri], Field(max_length=MOST_NAMES)]
RoleList = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=MOST_NAMES)
]
Reason = Annotated[str, Field(max_length=_LONGEST_REASON), AfterValidator(storable)]
"""Why something is changed; kept with the version."""


class RateBody(Body):
    """At most `calls` in each window, counted for each combination of `per`."""

    calls: Annotated[
        Annotated[int, Field(ge=1, le=1_000_000_000)], about("Most calls in a window.")
    ]
    window_seconds: Annotated[
        Annotated[float, Field(gt=0, le=31 * 86_400, allow_inf_nan=False)],
        about("Length of a window in seconds; windows follow the clock."),
    ] = 60.0
    per: Annotated[list[Per], about("What is counted apart; none: all calls together.")] = Field(
        default_factory=lambda: [Per.USER]
    )

    def value(self) -> Rate:
        """The rate as rules hold it."""
        return Rate(self.calls, self.window_seconds, frozenset(self.per))


class RegoBody(Body):
    """Modules in Rego by file name, of the package `bascule.authz`, and `data` for them."""

    modules: Annotated[
        Annotated[dict[str, str], Field(min_length=1, max_length=100), AfterValidator(storable)],
        about("Texts in Rego by file name; `_test.rego` at the end makes a file of tests."),
    ]
    data: Annotated[
        Any, about("An object, there as `data` in the modules; at most 10 MiB as JSON.")
    ] = Field(default_factory=dict[str, Any])


class PolicyBody(Body):
    """What a policy says; which fields it needs depends on its `type`.

    Empty `bundles`, `risks` and `tags` mean any. `tools`, `prompts` and `resources` (URIs) may
    hold patterns (get_*). A policy that names none of the three is about everything in its
    bundles; one that names some is about those only.
    """

    type: Annotated[
        RuleKind, about("What sort of policy it is; which other fields it takes depends on it.")
    ] = RuleKind.RBAC
    effect: Annotated[
        Effect | None,
        about("What it does: `allow`, `deny` or `elevate`; null for types that have none."),
    ] = None
    roles: Annotated[RoleList, about("About callers with one of these roles; empty: all.")] = Field(
        default_factory=list[str]
    )
    users: Annotated[
        Names, about("About these users, by the name in audit records; patterns; empty: all.")
    ] = Field(default_factory=list[str])
    groups: Annotated[
        Names, about("About members of one of these groups; patterns; empty: all.")
    ] = Field(default_factory=list[str])
    agents: Annotated[
        Names,
        about("About these agents, as a certificate or token says; patterns; empty: all."),
    ] = Field(default_factory=list[str])
    actions: Annotated[
        Annotated[list[Action], Field(min_length=1)],
        about("`discover` (see it in lists), `invoke` (use it), or both."),
    ] = Field(default_factory=lambda: list(Action))
    bundles: Annotated[Names, about("About what is in these bundles; patterns; empty: any.")] = (
        Field(default_factory=list[str])
    )
    tools: Annotated[Names, about("About these tools, by name or pattern (`get_*`).")] = Field(
        default_factory=list[str]
    )
    prompts: Annotated[Names, about("About these prompts, by name or pattern.")] = Field(
        default_factory=list[str]
    )
    resources: Annotated[Uris, about("About these resources, by URI or pattern.")] = Field(
        default_factory=list[str]
    )
    risks: Annotated[list[RiskLevel], about("About tools of these risk levels; empty: any.")] = (
        Field(default_factory=list[RiskLevel])
    )
    tags: Annotated[Names, about("About tools with one of these tags; patterns; empty: any.")] = (
        Field(default_factory=list[str])
    )
    when: Annotated[When, about("Under which circumstances it counts; empty: always.")] = Field(
        default_factory=When
    )
    rate: Annotated[
        RateBody | None, about("How many calls, for the type `rate_limit`; else null.")
    ] = None
    rego: Annotated[RegoBody | None, about("The document, for the type `rego`; else null.")] = None
    priority: Annotated[
        Annotated[int, Field(ge=-1000, le=1000)],
        about("Of several policies that say the same, the highest is named; -1000 to 1000."),
    ] = 0
    public: Annotated[
        Annotated[str, Field(max_length=500), AfterValidator(_one_line)],
        about("One line that a caller is told whom it denies; empty for none."),
    ] = ""
    description: Annotated[
        Annotated[str, Field(max_length=2000), AfterValidator(storable)],
        about("What it is for; for people."),
    ] = ""
    is_active: Annotated[bool, about("False: it decides nothing.")] = True

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        fault = _effect_fault(self) or _FAULTS[self.type](self) or _stray(self)
        if fault:
            raise PydanticCustomError(
                "policy", "{type}: {fault}", {"type": self.type.value, "fault": fault}
            )
        return self

    def has(self, *fields: str) -> bool:
        """Whether any of these fields, or of its conditions, is not empty."""
        return any(getattr(self.when if one in _WHEN else self, one) for one in fields)


class PolicyCreate(PolicyBody):
    """A policy with its name, and why it is made or changed."""

    name: Annotated[Name, about("Its name, unique in the tenant.")]
    reason: Annotated[Reason, about("Why it is made or changed; kept with the version.")] = ""


class RegoShown(BaseModel):
    """Rego in a policy. Lists leave `modules` and `data` out, and have the names of `files`."""

    digest: Annotated[str, about("SHA-256 of modules and data, in hex.")]
    files: Annotated[list[str], about("Names of the modules.")]
    modules: Annotated[dict[str, str] | None, about("Texts by file name; null in lists.")]
    data: Annotated[Verbatim, about("The data; null in lists.")]


class PolicyShown(BaseModel):
    """What a policy says. `effect` is null where the policy itself has none."""

    name: Annotated[str, about("Its name, unique in the tenant.")]
    type: Annotated[
        RuleKind, about("What sort of policy it is; which other fields it takes depends on it.")
    ]
    effect: Annotated[
        Effect | None,
        about("What it does: `allow`, `deny` or `elevate`; null for types that have none."),
    ]
    roles: Annotated[list[str], about("About callers with one of these roles; empty: all.")]
    users: Annotated[
        list[str], about("About these users, by the name in audit records; patterns; empty: all.")
    ]
    groups: Annotated[
        list[str], about("About members of one of these groups; patterns; empty: all.")
    ]
    agents: Annotated[
        list[str],
        about("About these agents, as a certificate or token says; patterns; empty: all."),
    ]
    actions: Annotated[
        list[Action], about("`discover` (see it in lists), `invoke` (use it), or both.")
    ]
    bundles: Annotated[list[str], about("About what is in these bundles; patterns; empty: any.")]
    tools: Annotated[list[str], about("About these tools, by name or pattern (`get_*`).")]
    prompts: Annotated[list[str], about("About these prompts, by name or pattern.")]
    resources: Annotated[list[str], about("About these resources, by URI or pattern.")]
    risks: Annotated[list[RiskLevel], about("About tools of these risk levels; empty: any.")]
    tags: Annotated[list[str], about("About tools with one of these tags; patterns; empty: any.")]
    when: Annotated[When, about("Under which circumstances it counts; empty: always.")]
    rate: Annotated[RateBody | None, about("How many calls, for the type `rate_limit`; else null.")]
    rego: Annotated[RegoShown | None, about("The document, for the type `rego`; else null.")]
    priority: Annotated[
        int, about("Of several policies that say the same, the highest is named; -1000 to 1000.")
    ]
    public: Annotated[str, about("One line that a caller is told whom it denies; empty for none.")]
    description: Annotated[str, about("What it is for; for people.")]
    is_active: Annotated[bool, about("False: it decides nothing.")]


class Policy(PolicyShown):
    """A policy, and since when it says so."""

    created_at: Annotated[datetime, about("When it was made.")]
    updated_at: Annotated[datetime, about("When it was changed last.")]


def rule_of(name: str, body: PolicyBody, document: RegoDocument | None = None) -> Rule:
    """The rule that `body` describes; `document` is what its Rego was made into."""
    effect = _IMPLIED.get(body.type, body.effect)
    if effect is None:
        raise ValueError("a body that was checked has an effect")
    return Rule(
        name=name,
        kind=body.type,
        effect=effect,
        roles=frozenset(body.roles),
        users=frozenset(body.users),
        groups=frozenset(body.groups),
        agents=frozenset(body.agents),
        actions=frozenset(body.actions),
        bundles=frozenset(body.bundles),
        tools=frozenset(body.tools),
        prompts=frozenset(body.prompts),
        resources=frozenset(body.resources),
        risks=frozenset(body.risks),
        tags=frozenset(body.tags),
        windows=tuple(one.value() for one in body.when.windows),
        networks=frozenset(body.when.networks),
        arguments=tuple(one.test() for one in body.when.arguments),
        rate=None if body.rate is None else body.rate.value(),
        rego=document,
        priority=body.priority,
        public=body.public,
    )


def shown_of(state: PolicyState, *, whole: bool = True) -> dict[str, Any]:
    """The fields of `PolicyShown`; without its Rego's modules and data unless it is `whole`."""
    rule = state.rule
    has_effect = rule.kind not in {RuleKind.RATE_LIMIT, RuleKind.REGO}
    return {
        "name": rule.name,
        "type": rule.kind,
        "effect": rule.effect if has_effect else None,
        **{field: sorted(getattr(rule, field)) for field in _SETS},
        "when": when_of(rule),
        "rate": None if rule.rate is None else _rate(rule.rate),
        "rego": None if rule.rego is None else _rego(rule.rego, whole=whole),
        "priority": rule.priority,
        "public": rule.public,
        "description": state.description,
        "is_active": state.is_active,
    }


_SETS: Final = (
    *("roles", "users", "groups", "agents", "actions", "bundles", "tools", "prompts"),
    *("resources", "risks", "tags"),
)


def _rate(rate: Rate) -> RateBody:
    return RateBody.model_construct(
        calls=rate.calls, window_seconds=rate.window_seconds, per=sorted(rate.per)
    )


def _rego(document: RegoDocument, *, whole: bool) -> RegoShown:
    return RegoShown(
        digest=document.digest,
        files=sorted(document.modules),
        modules=dict(document.modules) if whole else None,
        data=JsonText(document.data) if whole else None,
    )


def _effect_fault(body: PolicyBody) -> str:
    if body.type in {RuleKind.RATE_LIMIT, RuleKind.REGO}:
        return "" if body.effect is None else "this type has no effect of its own: leave it out"
    implied = _IMPLIED.get(body.type)
    if implied is None:
        return "say its effect: allow, deny or elevate" if body.effect is None else ""
    if body.effect in {None, implied}:
        return ""
    return f"its effect is {implied.value}: leave it out, or choose the type rbac or condition"


def _rbac_fault(body: PolicyBody) -> str:
    return "" if body.roles else "name the roles it is about (roles)"


def _allow_list_fault(body: PolicyBody) -> str:
    wanted = "name what is on the list: tools, prompts or resources"
    return "" if body.has(*_ON_A_LIST) else wanted


def _deny_list_fault(body: PolicyBody) -> str:
    wanted = "name what or who is on the list: "
    return "" if body.has(*_DENIABLE) else f"{wanted}{', '.join(_DENIABLE[:-1])} or tags"


def _condition_fault(body: PolicyBody) -> str:
    wanted = (
        "say under which condition: when.windows, when.networks, when.arguments, tags, users, "
        "groups or agents"
    )
    return "" if body.has(*_WHEN, *_WHO, "tags") else wanted


def _rate_fault(body: PolicyBody) -> str:
    return "" if body.rate is not None else "say how many calls, as in rate: {calls: 100}"


def _rego_fault(body: PolicyBody) -> str:
    wanted = "give its modules, as in rego: {modules: {authz.rego: ...}}"
    return "" if body.rego is not None else wanted


_FAULTS: Final[Mapping[RuleKind, Callable[[PolicyBody], str]]] = {
    RuleKind.RBAC: _rbac_fault,
    RuleKind.ALLOW_LIST: _allow_list_fault,
    RuleKind.DENY_LIST: _deny_list_fault,
    RuleKind.CONDITION: _condition_fault,
    RuleKind.RATE_LIMIT: _rate_fault,
    RuleKind.REGO: _rego_fault,
}


def _stray(body: PolicyBody) -> str:
    if body.rate is not None and body.type is not RuleKind.RATE_LIMIT:
        return "a rate belongs to the type rate_limit"
    if body.rego is not None and body.type is not RuleKind.REGO:
        return "Rego belongs to the type rego"
    return ""
