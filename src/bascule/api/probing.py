"""Trying how a service is reached, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bascule.gateway.tool import Upstream


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was tried, whether it went well, and what was found. Shows no secret."""

    step: str
    ok: bool
    detail: str


class Prober(Protocol):
    """Tries services of every tenant."""

    async def probe(self, tenant: str, upstream: Upstream) -> Sequence[Step]:
        """Take every step up to the first that fails; never fails itself."""
        ...
