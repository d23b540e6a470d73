"""What decides about access put together: for calls, and for who asks what would be decided."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self

from bascule.gateway.decision import RegoJudge
from bascule.gateway.inspection import RegoInspector
from bascule.gateway.rego import RegoEngine
from bascule.gateway.snapshot import Snapshot
from bascule.policy.access import Access
from bascule.policy.rego.judge import Judging
from bascule.rego.opa import OpaEngine
from bascule.rego.pool import EmbeddedEngine
from bascule.settings.model import Settings

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Deciding:
    """How decisions are made, whichever snapshot they are over.

    `inspector` compiles policies in Rego; None where an OPA server has documents of its own.
    """

    judge: RegoJudge | None = None
    inspector: RegoInspector | None = None
    elevates_privileged: bool = True
    asks_opa: bool = False
    _latest: list[tuple[Snapshot, Access]] = field(
        default_factory=list[tuple[Snapshot, Access]], repr=False
    )

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncGenerator[Self]:
        """Open the engine that the settings name; it closes with the block."""
        policy = settings.policy
        asks_opa = policy.rego_engine == "opa"
        engine: RegoEngine
        async with AsyncExitStack() as stack:
            seconds = policy.rego_timeout_ms / 1000
            if asks_opa:
                token = policy.opa_token.get_secret_value()
                engine = await stack.enter_async_context(OpaEngine(policy.opa_url, token, seconds))
                inspector = None
            else:
                memory = policy.rego_memory_mb * _MEBIBYTE
                engine = inspector = await stack.enter_async_context(
                    EmbeddedEngine(policy.rego_workers, seconds, memory)
                )
            yield cls(
                Judging(engine, policy.max_decisions),
                inspector,
                settings.elevation.privileged == "require",
                asks_opa,
            )

    def access(self, snapshot: Snapshot) -> Access:
        """Decisions over `snapshot`; the same ones where it is the one that was asked for last."""
        latest = self._latest[-1] if self._latest else None
        if latest is not None and latest[0] is snapshot:
            return latest[1]
        made = Access(
            snapshot,
            rego=self.judge,
            elevate_privileged=self.elevates_privileged,
            opa=self.asks_opa,
        )
        if snapshot.version >= (-1 if latest is None else latest[0].version):
            self._latest[:] = [(snapshot, made)]
        return made

    def prepared(self, snapshot: Snapshot) -> Snapshot:
        """`snapshot`, with what must be known of the engine."""
        if not self.asks_opa:
            return snapshot
        views = snapshot.tenants.items()
        judged = {name: replace(view, is_judged_elsewhere=True) for name, view in views}
        return replace(snapshot, tenants=judged)
