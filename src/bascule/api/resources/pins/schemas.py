"""Pins as the REST API shows them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bascule.catalogue.diffing import Severity
from bascule.storage.repositories.pins import PinStatus


class Pin(BaseModel):
    """How a tool of a server stands.

    `digest` is that of the definition that waits, in hexadecimal: a decision names it, so that
    nobody approves what changed after they looked. It is null where nothing waits.
    """

    server: str
    tool: str
    status: PinStatus
    digest: str | None
    approved_by: str
    approved_at: datetime | None
    seen_at: datetime | None


class PinChange(BaseModel):
    """One difference, and how bad it is: for callers (breaking), or for what models do (risky)."""

    severity: Severity
    place: str
    message: str


class PinDetails(Pin):
    """A pin with the definitions themselves, as the server gave them, and their differences."""

    approved: dict[str, Any] | None
    waiting: dict[str, Any] | None
    changes: list[PinChange]


class PinList(BaseModel):
    """Pins by server and tool."""

    pins: list[Pin]
    total: int


class Decision(BaseModel):
    """Which definition of which tool is meant."""

    model_config = ConfigDict(extra="forbid")

    server: Annotated[str, Field(max_length=100)]
    tool: Annotated[str, Field(max_length=500)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Decisions(BaseModel):
    """What to decide, together."""

    model_config = ConfigDict(extra="forbid")

    pins: Annotated[list[Decision], Field(min_length=1, max_length=1000)]


class Decided(BaseModel):
    """What was decided about, as it stands now."""

    pins: list[Pin]
