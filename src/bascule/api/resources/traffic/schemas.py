"""The condition of upstreams as the REST API shows it."""

from typing import Literal

from pydantic import BaseModel


class Breaker(BaseModel):
    """`failures` are those within the window; `retry_after_seconds` until a call may try."""

    upstream: str
    state: Literal["closed", "half_open", "open"]
    failures: int
    retry_after_seconds: float


class Health(BaseModel):
    """`health` is null where nothing is known yet; `reason` says what is not well."""

    upstream: str
    health: Literal["healthy", "degraded", "down"] | None
    reason: str
    probe_seconds: float | None


class Condition(BaseModel):
    """Both of one upstream."""

    upstream: str
    breaker: Breaker
    health: Health


class ConditionList(BaseModel):
    """Every upstream of the tenant, as the process that answers sees it."""

    conditions: list[Condition]
    total: int
