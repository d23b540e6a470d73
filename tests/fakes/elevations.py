"""Live grants over a store of the test's choice, by a clock that the test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from bascule.api.elevated import Terms
from bascule.app.elevation import Ground, LiveElevations, Use
from bascule.gateway.digests import keyed_digest
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.principal import Principal
from bascule.gateway.seals import Seals
from bascule.gateway.state import StateStore
from bascule.policy.elevation import ElevationStatus, Holder, holder_of
from bascule.state.memory import MemoryState
from bascule.storage.repositories.elevations import StoredElevation
from bascule.upstreams.pim import Pim

PUBLIC_URL: Final = "https://gate.example"
DIGEST: Final = keyed_digest(b"k" * 32)


@dataclass
class Elevating:
    """Live grants, and what they were told and told others. `now` is in seconds of the epoch."""

    state: StateStore = field(default_factory=MemoryState)
    terms: Terms = field(default_factory=Terms)
    pim: Pim | None = None
    public_url: str = PUBLIC_URL
    now: float = field(default_factory=lambda: datetime.now(UTC).timestamp())
    used: list[Use] = field(default_factory=list[Use])
    counted: list[str] = field(default_factory=list[str])
    live: LiveElevations = field(init=False)

    def __post_init__(self) -> None:
        self.live = self.another()

    def another(self) -> LiveElevations:
        """What another process, or this one after a restart, has on the same store."""
        ground = Ground(
            self.state,
            Seals([b"s" * 32]),
            DIGEST,
            self.terms,
            self.public_url,
            self.used.append,
            self.counted.append,
            lambda: self.now,
        )
        return LiveElevations(ground, self.pim)

    def grant(
        self, principal: Principal, scope: Scope, minutes: int = 60, **changes: Any
    ) -> StoredElevation:
        """An approved request, as the table has it."""
        now = datetime.fromtimestamp(self.now, UTC)
        holder: Holder = changes.pop("holder", None) or holder_of(principal)
        fields: dict[str, Any] = {
            "id": uuid4(),
            "status": ElevationStatus.APPROVED,
            "holder": holder,
            "asked_by": principal.subject,
            "asked_owner": principal.owner,
            "scope": scope,
            "asked_scope": scope.text,
            "tool": "" if scope.kind is ScopeKind.BUNDLE else scope.name,
            "bundle": "",
            "digest": scope.digest,
            "arguments": None,
            "reason": "because",
            "ticket": "",
            "minutes": minutes,
            "asked_minutes": minutes,
            "requested_at": now,
            "void_at": now + timedelta(days=1),
            "decided_by": "boss",
            "decided_at": now,
            "comment": "",
            "reference": "ELV-1",
            "expires_at": now + timedelta(minutes=minutes),
            "ended_by": "",
            "ended_at": None,
            "end_comment": "",
            **changes,
        }
        return StoredElevation(**fields)
