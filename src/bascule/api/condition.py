"""In what condition an upstream is: its breaker, and what the last probes found."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Condition:
    """`breaker` is closed, half_open or open; `failures` counts those that may yet open it.

    `health` is healthy, degraded or down; "" where it is not known, `reason` is for who operates
    the upstream, and `probe_seconds` is how long the last probe took.
    """

    breaker: str = "closed"
    failures: int = 0
    retry_after_seconds: float = 0.0
    health: str = ""
    reason: str = ""
    probe_seconds: float | None = None


class Conditions(Protocol):
    """Knows the upstreams of every tenant, as this process sees them."""

    def of(self, tenant: str, name: str) -> Condition | None:
        """The condition of an upstream; None where there is none of that name in force."""
        ...

    def all(self, tenant: str) -> dict[str, Condition]:
        """Of every upstream of the tenant, by name."""
        ...

    def reset(self, tenant: str, name: str) -> bool:
        """Close its breaker; False where there is no such upstream, or it has no breaker."""
        ...
