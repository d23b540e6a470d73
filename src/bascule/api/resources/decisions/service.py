"""Explaining and simulating decisions."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.policing import access_over, candidate, rules_of
from bascule.api.resources.decisions.schemas import (
    AboutCaller,
    Circumstances,
    Explain,
    Explained,
    Finding,
    OwnExplained,
    Simulate,
    Simulated,
)
from bascule.api.resources.decisions.whom import principal_of
from bascule.gateway import decision as kernel
from bascule.gateway.decision import Decision, Question
from bascule.gateway.inventory import ItemKind
from bascule.gateway.likeness import closest
from bascule.gateway.rule import Action, Effect
from bascule.gateway.snapshot import TenantView
from bascule.policy.access import Access
from bascule.policy.explaining import explain as explanation_of
from bascule.policy.hypothetical import Case, decide_call, subject_of

DEADLINE_SECONDS: Final = 10.0
"""For what Rego says to one request; rules that have not answered by then deny."""
_LONGEST_NAME: Final = 128
_DEPENDENCIES: Final = ("arguments", "ip", "time")


async def explain(control: Control, caller: Caller, asked: Explain) -> Explained:
    """Say what is decided about a use, and why.

    Raises:
        InvalidValue: there is no such tool, user, key or role.
    """
    view = control.snapshot().tenant(caller.tenant)
    question = _question(control, caller, asked, view)
    return await _explained(control.access(), view, question)


async def simulate(control: Control, caller: Caller, asked: Simulate) -> Simulated:
    """As `explain`; with the changes of a draft, where one is named.

    Raises:
        NotFound: there is no such draft.
        InvalidValue: there is no such tool, user, key or role.
    """
    view = control.snapshot().tenant(caller.tenant)
    question = _question(control, caller, asked, view)
    in_force = await _explained(control.access(), view, question)
    if asked.draft is None:
        return Simulated(decision=in_force, in_force=None, changes=False)
    async with control.read(caller) as rows:
        drafted = candidate(view, await rules_of(rows, asked.draft))
    decision = await _explained(access_over(control, drafted), drafted, question)
    changes = (decision.effect, decision.rule) != (in_force.effect, in_force.rule)
    return Simulated(decision=decision, in_force=in_force, changes=changes)


async def explain_own(control: Control, caller: Caller, name: str, peer: str) -> OwnExplained:
    """Say whether who asks, from `peer`, may call a tool; nothing of what they cannot see."""
    view = control.snapshot().tenant(caller.tenant)
    access, principal = control.access(), caller.principal
    tool = view.tools.get(name)
    if tool is not None:
        now = kernel.Circumstances(time.time(), peer)
        asked, decision = await _decide(access, Question(principal, tool, Action.INVOKE, now))
        if asked.action is Action.INVOKE:
            told = decision.public or _OWN[decision.effect].format(name=name)
            return OwnExplained(
                tool=name, effect=decision.effect, reason=told, depends_on=dependencies(decision)
            )
    shown = name[:_LONGEST_NAME]
    guess = closest(name, access.reach(principal).visible)
    hint = f" Did you mean {guess}?" if guess else ""
    reason = f"There is no tool {shown} that you can see.{hint}"
    return OwnExplained(tool=shown, effect=Effect.DENY, reason=reason, depends_on=[])


_OWN: Final = {
    Effect.ALLOW: "You may call {name}.",
    Effect.DENY: "You may see {name} but not call it. Ask an administrator for access.",
    Effect.ELEVATE: "You may call {name} once somebody has approved an elevation for you.",
}


def dependencies(decision: Decision) -> list[str]:
    """Which circumstances count for `decision`."""
    read = {path.partition(".")[0] for path in decision.inputs}
    return [one for one in _DEPENDENCIES if one in read]


def circumstances_of(asked: Circumstances, action: Action) -> kernel.Circumstances:
    """The circumstances that were asked about."""
    moment = time.time() if asked.time is None else asked.time.timestamp()
    peer = asked.ip or ""
    return kernel.Circumstances(
        moment, peer, None if action is Action.DISCOVER else asked.arguments
    )


def _question(control: Control, caller: Caller, asked: Explain, view: TenantView) -> Question:
    kind = None if asked.kind == "tool" else ItemKind(asked.kind)
    subject = subject_of(view, Case(asked.tool, bundle=asked.bundle, kind=kind))
    principal = principal_of(control, caller, asked)
    return Question(principal, subject, asked.action, circumstances_of(asked, asked.action))


async def _decide(
    access: Access, question: Question, *, steps: bool = False
) -> tuple[Question, Decision]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    return await decide_call(access, question, deadline=deadline, steps=steps)


async def _explained(access: Access, view: TenantView, question: Question) -> Explained:
    asked, decision = await _decide(access, question, steps=True)
    # Very many policies take a moment that the event loop does not have.
    told = await asyncio.to_thread(explanation_of, view, asked, decision)
    hidden = "" if asked is question else " What a caller does not see, it cannot call."
    principal = question.principal
    return Explained(
        tool=question.subject.name,
        action=question.action,
        caller=AboutCaller(
            name=principal.subject,
            roles=sorted(principal.roles),
            groups=sorted(principal.groups),
            agent=principal.agent,
        ),
        effect=decision.effect,
        rule=decision.rule,
        reason=f"{told.summary}{hidden}",
        policies=[
            Finding(
                policy=one.policy,
                type=one.kind,
                effect=one.effect,
                applied=one.applied,
                decisive=one.decisive,
                why=one.why,
            )
            for one in told.findings
        ],
        left_out=told.left_out,
        needed=list(told.needed),
        evaluated=list(decision.evaluated),
        inputs=list(decision.inputs),
        policy_version=view.policy_version,
        time=datetime.fromtimestamp(question.circumstances.moment, UTC),
    )
