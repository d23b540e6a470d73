"""Requests for elevation as the REST API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.elevated import LEAST_REASON, MOST_COMMENT, MOST_REASON, MOST_TICKET
from bascule.gateway.elevation import ScopeKind
from bascule.policy.elevation import ElevationStatus

_Comment = Annotated[str, Field(max_length=MOST_COMMENT)]


class ElevationWanted(Body):
    """For what, why, and for how long.

    Either `link`, the token at the end of an `elevation_url`, or the `name` of a tool or bundle.
    `scope` is `tool`, `bundle`, or `call` for one call with exactly these `arguments`; with a link
    they are those of the call that was held back. `minutes` is the installation's default where it
    is left out.
    """

    reason: Annotated[str, Field(min_length=LEAST_REASON, max_length=MOST_REASON)]
    scope: ScopeKind = ScopeKind.TOOL
    name: Annotated[str, Field(max_length=500)] = ""
    arguments: dict[str, Any] | None = None
    link: Annotated[str, Field(max_length=16_384)] = ""
    ticket: Annotated[str, Field(max_length=MOST_TICKET)] = ""
    minutes: Annotated[int, Field(ge=1)] | None = None


class ElevationApproval(Body):
    """What is granted: all that was asked for, or less of it.

    `scope` narrows a bundle to a `tool`, or either to the one `call` that the request came from.
    """

    minutes: Annotated[int, Field(ge=1)] | None = None
    scope: ScopeKind | None = None
    tool: Annotated[str, Field(max_length=500)] = ""
    comment: _Comment = ""


class ElevationComment(Body):
    """What is said with a decision; who asked reads it."""

    comment: _Comment = ""


class Elevation(BaseModel):
    """A request, and what became of it. What did not happen is null, or empty.

    `user` has the grant, or would have it; `asked_by` is another where somebody asked for a
    service. `scope` and `minutes` are those granted, once it is approved. `arguments` are masked.
    A live grant is `approved`; `ended_at` is when it was used up, revoked, cancelled or over.
    """

    elevation_id: UUID
    status: ElevationStatus
    user: str
    asked_by: str
    scope: ScopeKind
    name: str
    asked_scope: str
    tool: str
    bundle: str
    arguments: Any
    reason: str
    ticket: str
    minutes: int
    asked_minutes: int
    requested_at: datetime
    void_at: datetime
    decided_by: str
    decided_at: datetime | None
    comment: str
    approval_reference: str
    expires_at: datetime | None
    ended_by: str
    ended_at: datetime | None
    end_comment: str


class ElevationList(BaseModel):
    """A page of requests, the newest first."""

    elevations: list[Elevation]
    total: int
    page: int
    limit: int


class ElevationSeen(Elevation):
    """A request as approvers see it: with the number of requests for the same user, by status."""

    history: dict[str, int]
