"""What was decided about a use, and on which grounds: one record, wherever it is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bascule.gateway.inventory import Target
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoAnswer
from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.tool import Tool


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision may depend on besides who asks for what.

    `moment` is in seconds since the epoch, `peer` the address the request came from ("" where it
    is not known). `arguments` are None where they are not known yet, as in lists.
    """

    moment: float
    peer: str = ""
    arguments: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """May `principal` do this with that, as things are?"""

    principal: Principal
    subject: Tool | Target
    action: Action
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Step:
    """One policy that was looked at, and what came of it.

    `applied` is None where it could not be said, for want of an argument or a time. `why` says in
    words what it matched or what it failed on.
    """

    policy: str
    effect: str
    applied: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`effect` is ALLOW, DENY, or ELEVATE where a live grant is needed besides.

    `rule` is the policy that decided, or a name that begins with `builtin:`. `evaluated` are the
    policies that applied; `version` is that of the tenant's policies. `inputs` are the paths of
    what was read to come to it (`roles`, `tool.risk`, `arguments.amount`, `time`, `ip`), sorted; an
    equal question with equal inputs has the same answer. `public` is for the caller, `private` for
    the record: they differ. `steps` are there only where they were asked for.
    """

    effect: Effect
    rule: str
    evaluated: tuple[str, ...] = ()
    version: int = 0
    inputs: tuple[str, ...] = ()
    public: str = ""
    private: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it may be done at once."""
        return self.effect is Effect.ALLOW

    @property
    def possible(self) -> bool:
        """Whether it may be done at once or once a person has agreed."""
        return self.effect is not Effect.DENY


class RegoJudge(Protocol):
    """Answers questions by the Rego rules of tenants, and remembers what it answered."""

    def known(self, rule: Rule, question: Question) -> RegoAnswer | None:
        """What was answered before to a question that is equal in all that `rule` reads."""
        ...

    async def ask(
        self, rule: Rule, questions: Sequence[Question], deadline: float
    ) -> list[RegoAnswer]:
        """The answers, in order. Never raises: what cannot be answered is not allowed.

        `deadline` is in seconds of `time.monotonic`.
        """
        ...
