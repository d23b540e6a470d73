"""Requests for elevation as the REST API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from bascule.api.bodies import Body, about
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

    reason: Annotated[
        Annotated[str, Field(min_length=LEAST_REASON, max_length=MOST_REASON)],
        about("Why; who decides reads it."),
    ]
    scope: Annotated[
        ScopeKind, about("For one `call`, a `tool` with any arguments, or a `bundle`.")
    ] = ScopeKind.TOOL
    name: Annotated[
        Annotated[str, Field(max_length=500)],
        about("Name of the tool or bundle; empty with a link."),
    ] = ""
    arguments: Annotated[
        dict[str, Any] | None, about("For one call: its arguments, exactly as it will have them.")
    ] = None
    link: Annotated[
        Annotated[str, Field(max_length=16_384)],
        about("The token at the end of an `elevation_url`; empty with a name."),
    ] = ""
    ticket: Annotated[
        Annotated[str, Field(max_length=MOST_TICKET)], about("Number of a ticket; empty for none.")
    ] = ""
    minutes: Annotated[
        Annotated[int, Field(ge=1)] | None,
        about("For how many minutes; null: what the installation grants."),
    ] = None


class ElevationApproval(Body):
    """What is granted: all that was asked for, or less of it.

    `scope` narrows a bundle to a `tool`, or either to the one `call` that the request came from.
    """

    minutes: Annotated[
        Annotated[int, Field(ge=1)] | None, about("For how many minutes; null: as asked.")
    ] = None
    scope: Annotated[ScopeKind | None, about("Less than was asked for; null: as asked.")] = None
    tool: Annotated[
        Annotated[str, Field(max_length=500)],
        about("The tool, where it is granted in place of its bundle."),
    ] = ""
    comment: Annotated[_Comment, about("What is said with it; who asked reads it.")] = ""


class ElevationComment(Body):
    """What is said with a decision; who asked reads it."""

    comment: Annotated[_Comment, about("What is said with it; who asked reads it.")] = ""


class Elevation(BaseModel):
    """A request, and what became of it. What did not happen is null, or empty.

    `user` has the grant, or would have it; `asked_by` is another where somebody asked for a
    service. `scope` and `minutes` are those granted, once it is approved. `arguments` are masked.
    A live grant is `approved`; `ended_at` is when it was used up, revoked, cancelled or over.
    """

    elevation_id: Annotated[UUID, about("Its id.")]
    status: Annotated[ElevationStatus, about("How it stands.")]
    user: Annotated[str, about("Who has the grant, or would have it.")]
    asked_by: Annotated[str, about("Who asked.")]
    scope: Annotated[ScopeKind, about("What is granted; what is asked for, until it is approved.")]
    name: Annotated[str, about("The tool or bundle of the scope.")]
    asked_scope: Annotated[str, about("What was asked for.")]
    tool: Annotated[str, about("The tool; empty for a bundle.")]
    bundle: Annotated[str, about("The bundle.")]
    arguments: Annotated[Any, about("Arguments of the one call, masked; else null.")]
    reason: Annotated[str, about("Why it was asked for.")]
    ticket: Annotated[str, about("Number of a ticket; empty for none.")]
    minutes: Annotated[int, about("For how many minutes it is granted, or asked.")]
    asked_minutes: Annotated[int, about("For how many minutes it was asked.")]
    requested_at: Annotated[datetime, about("When it was asked for.")]
    void_at: Annotated[datetime, about("When the request is void, if nobody decides.")]
    decided_by: Annotated[str, about("Who decided; empty until then.")]
    decided_at: Annotated[datetime | None, about("When it was decided; null until then.")]
    comment: Annotated[str, about("What was said with the decision.")]
    approval_reference: Annotated[
        str, about("What another system calls the approval; empty for none.")
    ]
    expires_at: Annotated[
        datetime | None, about("When the grant is over; null until it is approved.")
    ]
    ended_by: Annotated[str, about("Who ended it; empty where nobody did.")]
    ended_at: Annotated[
        datetime | None, about("When it was used up, revoked, cancelled or over; null until then.")
    ]
    end_comment: Annotated[str, about("What was said as it was ended.")]


class ElevationList(BaseModel):
    """A page of requests, the newest first."""

    elevations: Annotated[list[Elevation], about("The requests of this page.")]
    total: Annotated[int, about("How many there are.")]
    page: Annotated[int, about("Number of this page, from 1.")]
    limit: Annotated[int, about("Most entries on a page.")]


class ElevationSeen(Elevation):
    """A request as approvers see it: with the number of requests for the same user, by status."""

    history: Annotated[
        dict[str, int], about("How many requests there were for the same user, by status.")
    ]
