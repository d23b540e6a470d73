"""What the rules mean: may this principal see, or use, this tool, prompt or resource?

Default deny; deny wins over allow; a caller also needs the permission that goes with the action.
What a kind of caller reaches is found out as far as it is asked for, and kept for the life of a
snapshot.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from bascule.gateway.inventory import ItemKind, Listed, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, RbacRule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import McpSource, RiskLevel, Tool
from bascule.policy.judging import Judge, matcher_of
from bascule.policy.reaching import Groups, Invocable, Renamed, Visible
from bascule.protocol.uris import forms_of, without_query

_PERMISSIONS: Final = {Action.DISCOVER: "tools:list", Action.INVOKE: "tools:execute"}
_MOST_TABLES: Final = 1024
"""Distinct (tenant, roles, permissions) kept; beyond it all are dropped and built again."""

ADMIN_RULE: Final = "builtin:admin"
DEFAULT_RULE: Final = "builtin:default-deny"
_ADMINISTRATORS: Final = frozenset({"admin", "system_admin"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by which rule."""

    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of a tenant's catalogue that one kind of caller reaches.

    `visible` is in listing order. `invocable` maps a visible tool's name to the rule that
    allows calling it. `renamed` are visible tools by upstream and the name they have there,
    where that is another.
    """

    visible: Mapping[str, Tool]
    invocable: Mapping[str, str]
    renamed: Mapping[tuple[str, str], Tool]


@dataclass(frozen=True, slots=True)
class Offers:
    """What one kind of caller sees besides tools, in listing order."""

    prompts: tuple[Listed, ...]
    templates: tuple[Listed, ...]


class Access:
    """Decides for one snapshot; build a new one with each."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._reaches: dict[tuple[str, frozenset[str], frozenset[str]], Reach] = {}
        self._offers: dict[tuple[str, frozenset[str], frozenset[str]], Offers] = {}
        self._served: dict[tuple[str, frozenset[str], frozenset[str], str], Reach] = {}
        self._groups: dict[tuple[str, str], Groups] = {}

    def reach(self, principal: Principal) -> Reach:
        """Everything `principal` may see and call in its own tenant."""
        key = (principal.tenant, principal.roles, principal.permissions)
        found = self._reaches.get(key)
        if found is None:
            if len(self._reaches) >= _MOST_TABLES:
                self._reaches.clear()
            view = self._snapshot.tenant(principal.tenant)
            groups = self._grouped(principal.tenant, "", view.tools)
            found = self._reaches[key] = _reach(view.rules, principal, groups)
        return found

    def served(self, principal: Principal, bundle: str) -> Reach | None:
        """What `principal` reaches of a bundle that serves more or less than its own tools.

        None for all other bundles.
        """
        view = self._snapshot.tenant(principal.tenant)
        tools = view.bundle_tools.get(bundle)
        if tools is None:
            return None
        key = (principal.tenant, principal.roles, principal.permissions, bundle)
        found = self._served.get(key)
        if found is None:
            if len(self._served) >= _MOST_TABLES:
                self._served.clear()
            groups = self._grouped(principal.tenant, bundle, tools)
            found = self._served[key] = _reach(view.rules, principal, groups)
        return found

    def prepare(self) -> None:
        """Sort the tools as lists will need them sorted, in whatever thread: calls do not wait."""
        for tenant, view in self._snapshot.tenants.items():
            matchers = [matcher_of(rule.tools) for rule in view.rules if rule.tools]
            self._grouped(tenant, "", view.tools).prepare(matchers)

    def _grouped(self, tenant: str, bundle: str, tools: Mapping[str, Tool]) -> Groups:
        """`tools` of a tenant, or of one of its bundles, sorted once for all kinds of callers."""
        found = self._groups.get((tenant, bundle))
        return found or self._groups.setdefault((tenant, bundle), Groups(tools))

    def versions(self, tenant: str, name: str) -> tuple[Tool, ...]:
        """Every callable version of a tool, newest first, seen by whoever or not."""
        view = self._snapshot.tenant(tenant)
        tool = view.tools.get(name)
        return view.versions.get(name) or (() if tool is None else (tool,))

    def decide(self, principal: Principal, tool: Tool, action: Action) -> Decision:
        """Decide about one tool, in whatever version, that the tables may not hold."""
        return decide(self._snapshot.tenant(principal.tenant).rules, principal, tool, action)

    def offers(self, principal: Principal) -> Offers:
        """The prompts and resource templates that `principal` sees in its own tenant."""
        key = (principal.tenant, principal.roles, principal.permissions)
        found = self._offers.get(key)
        if found is None:
            if len(self._offers) >= _MOST_TABLES:
                self._offers.clear()
            view = self._snapshot.tenant(principal.tenant)
            found = self._offers[key] = _compile_offers(view, principal)
        return found

    def may(self, principal: Principal, target: Target, action: Action) -> Decision:
        """Whether `principal` may see or use what is no tool; a task is used by its tool's rule."""
        if target.kind is ItemKind.TASK:
            rule = self.reach(principal).invocable.get(target.name)
            return Decision(rule is not None, rule or DEFAULT_RULE)
        rules = self._snapshot.tenant(principal.tenant).rules
        return _decide(rules, principal, _subject_of(target.kind, target), action)


class _Subject(NamedTuple):
    """What rules are held against. `names` are all spellings it may be known by."""

    kind: ItemKind | None
    names: tuple[str, ...]
    bundle: str
    risk: RiskLevel


def decide(rules: Iterable[RbacRule], principal: Principal, tool: Tool, action: Action) -> Decision:
    """Decide one case from the rules themselves; the tables hold exactly these answers."""
    # A tool is renamed when another of its name appears; no rule about it must stop to apply.
    own = tool.source.name if isinstance(tool.source, McpSource) else tool.name
    names = (tool.name,) if own == tool.name else (tool.name, own)
    shown = _Subject(None, names, tool.bundle, tool.risk)
    home = tool.home
    if home is None:
        return _decide(rules, principal, shown, action)
    # A bundle's showing of a tool is both: what allows one of them allows it, but what denies
    # one of them denies it, so that no denied tool comes back under another name.
    names = (home.name, own) if isinstance(tool.source, McpSource) else (home.name,)
    return _decide(
        rules,
        principal,
        shown._replace(names=(tool.name, *names)),
        action,
        shown._replace(names=names, bundle=home.bundle),
    )


def _subject_of(kind: ItemKind, item: Target | Listed) -> _Subject:
    if kind is ItemKind.PROMPT:
        names = (item.name,) if item.name == item.inner else (item.name, item.inner)
    else:
        names = forms_of(item.inner)
    return _Subject(kind, names, item.bundle, item.risk)


def _decide(
    rules: Iterable[RbacRule],
    principal: Principal,
    subject: _Subject,
    action: Action,
    also: _Subject | None = None,
) -> Decision:
    if not principal.may(_PERMISSIONS[action]):
        return Decision(allowed=False, rule=f"builtin:needs {_PERMISSIONS[action]}")
    matching = [
        rule
        for rule in rules
        if _applies(rule, principal, subject, action)
        or (also is not None and _applies(rule, principal, also, action))
    ]
    for rule in matching:
        if rule.effect is Effect.DENY:
            return Decision(allowed=False, rule=rule.name)
    if not principal.roles.isdisjoint(_ADMINISTRATORS):
        return Decision(allowed=True, rule=ADMIN_RULE)
    if not matching:
        return Decision(allowed=False, rule=DEFAULT_RULE)
    return Decision(allowed=True, rule=max(matching, key=_precedence).name)


def _precedence(rule: RbacRule) -> tuple[int, str]:
    return (rule.priority, rule.name)


def _applies(rule: RbacRule, principal: Principal, subject: _Subject, action: Action) -> bool:
    return (
        action in rule.actions
        and not rule.roles.isdisjoint(principal.roles)
        and (not rule.bundles or subject.bundle in rule.bundles)
        and (not rule.risks or subject.risk in rule.risks)
        and _names(rule, subject)
    )


def _names(rule: RbacRule, subject: _Subject) -> bool:
    """Whether `rule` is about what `subject` is called; one that names nothing is about all."""
    if not (rule.tools or rule.prompts or rule.resources):
        return True
    if subject.kind is None:
        patterns = rule.tools
    else:
        patterns = rule.prompts if subject.kind is ItemKind.PROMPT else rule.resources
    is_uri = subject.kind in {ItemKind.RESOURCE, ItemKind.TEMPLATE}
    names = subject.names
    if is_uri and rule.effect is Effect.DENY:
        names = (*names, *map(without_query, names))
    hits = (any(fnmatchcase(name, one) for one in patterns) for name in names)
    # A URI is allowed only if all its spellings are: a server may follow any of them.
    return all(hits) if is_uri and rule.effect is Effect.ALLOW else any(hits)


def _reach(rules: Sequence[RbacRule], principal: Principal, groups: Groups) -> Reach:
    visible = Visible(groups, _judge(rules, principal, Action.DISCOVER))
    invocable = Invocable(visible, _judge(rules, principal, Action.INVOKE))
    return Reach(visible, invocable, Renamed(groups, visible))


def _judge(rules: Sequence[RbacRule], principal: Principal, action: Action) -> Judge:
    permitted = principal.may(_PERMISSIONS[action])
    mine = [
        rule
        for rule in rules
        if permitted and action in rule.actions and not rule.roles.isdisjoint(principal.roles)
    ]

    def slowly(tool: Tool) -> str | None:
        decision = decide(rules, principal, tool, action)
        return decision.rule if decision.allowed else None

    administers = permitted and not principal.roles.isdisjoint(_ADMINISTRATORS)
    return Judge(mine, administrator=ADMIN_RULE if administers else None, decide=slowly)


def _compile_offers(view: TenantView, principal: Principal) -> Offers:
    rules = [rule for rule in view.rules if not rule.roles.isdisjoint(principal.roles)]

    def seen(kind: ItemKind, item: Listed) -> bool:
        return _decide(rules, principal, _subject_of(kind, item), Action.DISCOVER).allowed

    inventories = view.inventories.values()
    prompts = (one for inventory in inventories for one in inventory.prompts.values())
    templates = (one for inventory in inventories for one in inventory.templates)
    return Offers(
        tuple(one for one in prompts if seen(ItemKind.PROMPT, one)),
        tuple(one for one in templates if seen(ItemKind.TEMPLATE, one)),
    )
