"""What the rules mean: may this principal see, or use, this tool, prompt or resource?

Default deny; deny wins over allow; a caller also needs the permission that goes with the action.
What a kind of caller reaches is found out as far as it is asked for, and kept for the life of a
snapshot. What depends on more than the kind of caller and the subject is decided each time, by what
little of the rules does.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bascule.gateway.decision import Circumstances, Decision, Question, RegoJudge
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoAnswer
from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Tool
from bascule.policy.asking import ask_all, knowing
from bascule.policy.entries import Part
from bascule.policy.kinds import NOBODY_NAMED, Kind, Names
from bascule.policy.standpoint import Held, Laws, Offers, Reach, Sight, Standpoint
from bascule.policy.steps import steps_of
from bascule.policy.subjects import Face, face_of, faces_of
from bascule.policy.weighing import DEFAULT_RULE, unanswered, weigh

_MOST_TABLES: Final = 1024
"""Distinct kinds of callers kept; beyond it all are dropped and built again."""
_BOTH: Final = (Action.DISCOVER, Action.INVOKE)
_MOST_LASTING: Final = 10_000
"""Decisions of Rego about a caller and a tool that are kept as a whole."""
_DENIED: Final = Decision(Effect.DENY, DEFAULT_RULE)


class Access:
    """Decides for one snapshot; build a new one with each."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        rego: RegoJudge | None = None,
        elevate_privileged: bool = True,
        opa: bool = False,
    ) -> None:
        """`rego` answers rules written in Rego: without it they deny.

        `elevate_privileged`: calls of tools of the risk PRIVILEGED need a grant. `opa`: each use
        is judged by a rule `builtin:opa` besides, which the engine has the documents for.
        """
        self._snapshot = snapshot
        self._rego = rego
        self._elevate_privileged = elevate_privileged
        self._opa = opa
        named = ((one, Names(view.rules)) for one, view in snapshot.tenants.items())
        self._names = {tenant: names for tenant, names in named if names}
        self._laws: dict[str, Laws] = {}
        self._standpoints: dict[Kind, Standpoint] = {}
        # By identity: a caller's principal is the same one for as long as its credential counts.
        self._lasting: dict[tuple[int, int], tuple[Principal, Tool, Decision]] = {}

    def reach(self, principal: Principal) -> Reach:
        """What `principal` may see and call in its own tenant whatever the circumstances."""
        return self._standpoint(principal).whole

    def served(self, principal: Principal, bundle: str) -> Reach | None:
        """What `principal` reaches of a bundle that serves more or less than its own tools.

        None for all other bundles.
        """
        if bundle not in self._snapshot.tenant(principal.tenant).bundle_tools:
            return None
        return self._standpoint(principal).served(bundle)

    def prepare(self) -> None:
        """Sort the tools as lists will need them sorted, in whatever thread: calls do not wait."""
        for tenant in self._snapshot.tenants:
            self._law(tenant).prepare()

    def versions(self, tenant: str, name: str) -> tuple[Tool, ...]:
        """Every callable version of a tool, newest first, seen by whoever or not."""
        view = self._snapshot.tenant(tenant)
        tool = view.tools.get(name)
        return view.versions.get(name) or (() if tool is None else (tool,))

    def offers(self, principal: Principal) -> Offers:
        """The prompts and resource templates that `principal` may see, or may under circumstances.

        In listing order; the same for all callers of a kind.
        """
        return self._standpoint(principal).offers()

    def is_fixed(self, principal: Principal) -> bool:
        """Whether its lists are the same under all circumstances."""
        return self._standpoint(principal).is_fixed

    def sight(self, principal: Principal, bundle: str, circumstances: Circumstances) -> Sight:
        """The tools that `principal` sees as things are, all or those that `bundle` serves."""
        return self._standpoint(principal).sight(bundle, circumstances)

    def weigh(self, question: Question, *, steps: bool = False) -> Decision | None:
        """Decide from the rules themselves; None where Rego must be asked first."""
        return self._weigh(self._whole(question), {}, steps=steps)

    async def decide_use(
        self, question: Question, *, deadline: float, steps: bool = False
    ) -> Decision:
        """As `weigh`, after asking Rego; `deadline` is in seconds of `time.monotonic`."""
        decision = self.weigh(question, steps=steps)
        if decision is not None:
            return decision
        return (await self._ask([self._whole(question)], deadline, steps=steps))[0]

    async def decide_many(
        self, questions: Sequence[Question], *, deadline: float
    ) -> list[Decision]:
        """Decide all, in order; each rule in Rego is asked once, about all it concerns."""
        whole = [self._whole(one) for one in questions]
        found = [self._weigh(one, {}) for one in whole]
        missing = [one for one, decision in zip(whole, found, strict=True) if decision is None]
        if missing:
            asked = iter(await self._ask(missing, deadline))
            found = [next(asked) if one is None else one for one in found]
        return [one or _DENIED for one in found]

    def quick(self, question: Question) -> Decision | None:
        """As `weigh` of a tool, from what is kept of the rules; does not say what applied."""
        tool = question.subject
        if not isinstance(tool, Tool):
            return self.weigh(question)
        question = self._whole(question)
        standpoint = self._standpoint(question.principal)
        held = standpoint.held(tool, question.action)
        if held.decision is not None:
            return held.decision
        return weigh(held.matter, question.circumstances, knowing(self._rego, question))

    def at_once(
        self, principal: Principal, tool: Tool, circumstances: Circumstances
    ) -> tuple[Decision | None, Decision | None]:
        """As `quick`, whether a tool may be seen, and be used."""
        standpoint = self._standpoint(principal)
        seeing, using = (standpoint.held(tool, action) for action in _BOTH)
        seen = seeing.decision or self._decide(seeing, principal, circumstances)
        used = using.decision or self._decide(using, principal, circumstances)
        is_lasting = seeing.is_lasting and using.is_lasting
        if is_lasting and seen is not None and seen.allowed and used is not None:
            if len(self._lasting) >= _MOST_LASTING:
                self._lasting.clear()
            self._lasting[id(principal), id(tool)] = (principal, tool, used)
        return seen, used

    def lasting(self, principal: Principal, tool: Tool) -> Decision | None:
        """What was decided before about the use of a tool that the caller sees.

        Only where the same caller is always answered the same; else, and before, None.
        """
        kept = self._lasting.get((id(principal), id(tool)))
        if kept is None or kept[0] is not principal or kept[1] is not tool:
            return None
        return kept[2]

    def varies(self, principal: Principal, tool: Tool, action: Action) -> bool:
        """Whether the same caller may be answered differently, call by call."""
        return not self._standpoint(principal).held(tool, action).is_lasting

    def _decide(
        self, held: Held, principal: Principal, circumstances: Circumstances
    ) -> Decision | None:
        question = Question(principal, held.tool, held.matter.action, circumstances)
        if held.tool.defaults:
            question = self._whole(question)
        known = knowing(self._rego, question)
        return weigh(held.matter, question.circumstances, known)

    async def quickly(self, question: Question, *, deadline: float) -> Decision:
        """As `quick`, after asking Rego."""
        decision = self.quick(question)
        return decision or await self.decide_use(question, deadline=deadline)

    def may_elevate(self, principal: Principal, tool: Tool) -> bool:
        """Whether there are circumstances under which a use of `tool` needs a live grant."""
        matter = self._standpoint(principal).whole_matter(_faces(tool), Action.INVOKE)
        return matter.holds_back or any(one.part is Part.ELEVATES for one in matter.bearings)

    def settled(self, principal: Principal, tool: Tool, action: Action) -> Decision | None:
        """The decision about a tool where it is the same under all circumstances, else None."""
        return self._standpoint(principal).held(tool, action).decision

    async def _ask(
        self, questions: Sequence[Question], deadline: float, *, steps: bool = False
    ) -> list[Decision]:
        if self._rego is None:
            return [self._weigh(one, {}, steps=steps) or _DENIED for one in questions]
        known: list[dict[int, RegoAnswer]] = [{} for _ in questions]
        pairs = list(zip(questions, known, strict=True))
        wanted = [(one, self._unanswered(one, said, is_whole=steps)) for one, said in pairs]
        answers = await ask_all(self._rego, wanted, deadline)
        return [
            self._weigh(question, said | more, steps=steps) or _DENIED
            for (question, said), more in zip(pairs, answers, strict=True)
        ]

    def _weigh(
        self, question: Question, said: dict[int, RegoAnswer], *, steps: bool = False
    ) -> Decision | None:
        faces = _faces(question.subject)
        if not faces:
            return _DENIED
        matter = self._standpoint(question.principal).whole_matter(faces, question.action)
        circumstances, known = question.circumstances, knowing(self._rego, question, said)
        decision = weigh(matter, circumstances, known, is_whole=steps)
        if decision is None or not steps:
            return decision
        entries = self._law(question.principal.tenant).entries
        found = (matter, decision)
        told = steps_of(entries, question.principal, faces, circumstances, known, found)
        return replace(decision, steps=told)

    def _unanswered(
        self, question: Question, said: dict[int, RegoAnswer], *, is_whole: bool
    ) -> list[Rule]:
        faces = _faces(question.subject)
        if not faces:
            return []
        matter = self._standpoint(question.principal).whole_matter(faces, question.action)
        known = knowing(self._rego, question, said)
        return unanswered(matter, question.circumstances, known, is_whole=is_whole)

    def _whole(self, question: Question) -> Question:
        """`question` as it is decided: a task by its tool, and with what a bundle fixes."""
        subject = question.subject
        if isinstance(subject, Target):
            if subject.kind is not ItemKind.TASK:
                return question
            tool = self._snapshot.tenant(question.principal.tenant).tools.get(subject.name)
            if tool is None:
                return question
            # It goes on with a use whose arguments were judged.
            circumstances = replace(question.circumstances, arguments=None)
            return replace(question, subject=tool, circumstances=circumstances)
        arguments = question.circumstances.arguments
        if not subject.defaults or arguments is None:
            return question
        fixed = replace(question.circumstances, arguments={**arguments, **subject.defaults})
        return replace(question, circumstances=fixed)

    def kind(self, principal: Principal) -> Kind:
        """What all callers have in common who are the same to the rules."""
        named = NOBODY_NAMED
        if self._names:
            names = self._names.get(principal.tenant)
            if names is not None:
                named = names.of(principal)
        return (principal.tenant, principal.roles, principal.permissions, named)

    def _standpoint(self, principal: Principal) -> Standpoint:
        key = self.kind(principal)
        found = self._standpoints.get(key)
        if found is None:
            if len(self._standpoints) >= _MOST_TABLES:
                self._standpoints.clear()
            law = self._law(principal.tenant)
            found = self._standpoints[key] = Standpoint(law, principal)
        return found

    def _law(self, tenant: str) -> Laws:
        found = self._laws.get(tenant)
        if found is None:
            view = self._snapshot.tenant(tenant)
            laws = Laws(view, opa=self._opa, elevates=self._elevate_privileged)
            found = self._laws.setdefault(tenant, laws)
        return found


def _faces(subject: Tool | Target) -> tuple[Face, ...]:
    """What rules are held against; nothing for the task of a tool that is not there."""
    if isinstance(subject, Tool):
        return faces_of(subject)
    return () if subject.kind is ItemKind.TASK else (face_of(subject.kind, subject),)
