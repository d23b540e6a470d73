"""Asking for elevation, and deciding about it: one desk for the REST API and the pages.

What happens to grants when other things change: who is deactivated, or signed out, keeps theirs,
but cannot come in to use them; they count again for who comes in again before they end, so revoke
them where that is not wanted. Grants are held by people, not by their sessions. Those of a
service's key are for that key alone: the next of its name holds nothing. Grants for a tool or
bundle that is deleted cover nothing, until there is another of that name.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.elevated import (
    LEAST_REASON,
    MOST_COMMENT,
    MOST_REASON,
    MOST_TICKET,
    Approval,
    Link,
    LiveGrants,
    Seen,
    Wanted,
)
from bascule.api.elevation_records import ElevationRecords
from bascule.api.elevation_scopes import Subjects, scope_of
from bascule.gateway.elevation import Scope
from bascule.gateway.errors import (
    Conflict,
    ErrorCode,
    Forbidden,
    GatewayError,
    InvalidValue,
    NotFound,
    StaleHandle,
)
from bascule.gateway.permissions import APPROVE
from bascule.policy.elevation import ElevationStatus, Holder, Step, holder_of, named, names_of
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Ending,
    Filter,
    Ruling,
    StoredElevation,
)
from bascule.storage.repositories.page import Page
from bascule.storage.repositories.tenants import Tenants

MOST_WAITING: Final = 20
"""Requests of one caller that wait for a decision."""
MOST_A_DAY: Final = 200
"""Requests that one caller makes within 24 hours, whatever becomes of them."""
_DAY: Final = timedelta(days=1)
_MOST_CLOSED: Final = 100
"""Requests that are closed for being too old, each time somebody looks."""


class NoElevation(GatewayError):
    """This process knows nothing of grants."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE


class TooMany(GatewayError):
    """The caller has asked too often; `details` says how often one may."""

    error: ClassVar[ErrorCode] = ErrorCode.RATE_LIMITED


@dataclass(slots=True)
class _Work:
    """One step within its transaction."""

    rows: Rows
    elevations: Elevations
    now: datetime
    done: StoredElevation | None = None


class ElevationDesk:
    """Requests and grants of a tenant. Cheap to make: one for each request to the API.

    Each step is recorded before it is in force. What is past its time is closed when somebody
    looks. Every method raises `NotFound` for ids of other tenants and, but for approvers, of
    other people.
    """

    def __init__(self, control: Control) -> None:
        """Raises NoElevation where `control` has no grants."""
        if control.elevations is None:
            raise NoElevation("Nobody can ask this process for elevation. Ask one that can.")
        self._control = control
        self._live: LiveGrants = control.elevations
        self._records = ElevationRecords(control)
        self._subjects = Subjects(control, self._live)

    async def open_link(self, caller: Caller, token: str) -> Link:
        """What the link behind `/elevate/` is about.

        A link for a person opens for that person only; one for the key of a service for whoever
        of its tenant has it, since nobody signs in as a service.

        Raises:
            StaleHandle: it was not made here, is too old, or is for somebody else.
        """
        link = self._live.open_link(token)
        if link is None or link.tenant != caller.tenant or not self._may_open(caller, link):
            raise StaleHandle(
                "This address is not for you, or older than an hour. Make the call again to get "
                "another one.",
                details={"field": "link"},
            )
        return link

    async def request(self, caller: Caller, wanted: Wanted) -> StoredElevation:
        """Ask for elevation.

        Raises:
            InvalidValue: names the field that cannot be so.
            NotFound: there is no such tool or bundle for whom it is asked.
            Conflict: the same is asked for already, or another manager decides here.
            TooMany: the caller has too many open requests, or made too many today.
        """
        self._check_decides()
        _check_texts(wanted)
        minutes = self._minutes(wanted.minutes)
        origin = await self._subjects.origin(caller, wanted)
        scope = scope_of(wanted.kind, origin)
        holder = holder_of(caller.principal) if wanted.link is None else wanted.link.holder
        await self._close_overdue(caller)
        async with self._step(caller, Step.REQUESTED, scope.text) as work:
            await self._check_budget(caller, work, holder, scope)
            draft = ElevationDraft(
                holder,
                caller.subject,
                caller.principal.owner,
                scope,
                origin,
                wanted.reason.strip(),
                wanted.ticket.strip(),
                minutes,
                work.now,
                work.now + timedelta(minutes=self._live.terms.request_minutes),
            )
            work.done = await work.elevations.create(draft)
            await self._records.done(caller, Step.REQUESTED, work.done)
        return work.done

    async def mine(self, caller: Caller, page: int = 1, limit: int = 50) -> Page[StoredElevation]:
        """What the caller asked for, or was asked for in their name; the newest first."""
        wanted = Filter(owner=caller.principal.owner, page=page, limit=limit)
        await self._close_overdue(caller)
        async with self._control.read(caller) as rows:
            return await _elevations(rows).list(wanted)

    async def list(self, caller: Caller, wanted: Filter) -> Page[StoredElevation]:
        """The tenant's requests, the newest first.

        Raises:
            Forbidden: the caller may not approve.
        """
        _check_approver(caller)
        await self._close_overdue(caller)
        async with self._control.read(caller) as rows:
            return await _elevations(rows).list(wanted)

    async def get(self, caller: Caller, elevation_id: UUID) -> Seen:
        """One request; to approvers with how often there was one for the same person."""
        await self._close_overdue(caller)
        async with self._control.read(caller) as rows:
            found = await _elevations(rows).get(elevation_id)
            if not caller.principal.may(APPROVE):
                self._check_party(caller, found)
                return Seen(found)
            return Seen(found, await _elevations(rows).history(found.holder.owner))

    async def approve(
        self, caller: Caller, elevation_id: UUID, approval: Approval
    ) -> StoredElevation:
        """Grant it, or less of it; calls are covered at once.

        A live grant of the same scope to the same holder ends: this one takes its place.

        Raises:
            Forbidden: the caller may not approve, or asked for it themselves.
            Conflict: somebody decided already, or it is void, or another manager decides here.
            InvalidValue: it would be more than was asked for.
            StateUnavailable: calls would not see it; nothing was granted.
        """
        _check_approver(caller)
        self._check_decides()
        _check_comment(approval.comment)
        await self._close_overdue(caller)
        granted: StoredElevation | None = None
        try:
            async with self._step(caller, Step.APPROVED, str(elevation_id)) as work:
                found = await work.elevations.get(elevation_id)
                self._check_other_person(caller, found)
                ruling = self._ruling(caller, found, approval, work.now)
                work.done = await work.elevations.rule(elevation_id, ruling)
                await self._replace(caller, work, work.done)
                await self._records.done(caller, Step.APPROVED, work.done)
                granted = work.done
                # Before the commit: where it cannot be put there, nothing is granted.
                await self._live.put(caller.tenant, work.done)
        except (asyncio.CancelledError, Exception):
            if granted is not None:
                with suppress(GatewayError):
                    await asyncio.shield(self._live.drop(caller.tenant, granted))
            raise
        return work.done

    async def deny(self, caller: Caller, elevation_id: UUID, comment: str) -> StoredElevation:
        """Refuse it.

        Raises:
            Forbidden: the caller may not approve.
            Conflict: somebody decided already, or it is void.
        """
        _check_approver(caller)
        _check_comment(comment)
        await self._close_overdue(caller)
        async with self._step(caller, Step.DENIED, str(elevation_id)) as work:
            ruling = Ruling(caller.subject, work.now, comment.strip())
            work.done = await work.elevations.rule(elevation_id, ruling)
            await self._records.done(caller, Step.DENIED, work.done)
        return work.done

    async def cancel(self, caller: Caller, elevation_id: UUID) -> StoredElevation:
        """Take back a request that nobody decided about; for who asked, or was asked for.

        Raises:
            Conflict: it is decided.
        """
        async with self._step(caller, Step.CANCELLED, str(elevation_id)) as work:
            self._check_party(caller, await work.elevations.get(elevation_id))
            ending = Ending(ElevationStatus.CANCELLED, work.now, caller.subject)
            work.done = await work.elevations.end(elevation_id, ending)
            await self._records.done(caller, Step.CANCELLED, work.done)
        return work.done

    async def revoke(
        self, caller: Caller, elevation_id: UUID, comment: str = ""
    ) -> StoredElevation:
        """End a live grant at once; for approvers, and for who asked or has it.

        Raises:
            Conflict: it is not live.
            StateUnavailable: calls may still see it; nothing was revoked, so try again.
        """
        _check_comment(comment)
        await self._close_overdue(caller)
        async with self._step(caller, Step.REVOKED, str(elevation_id)) as work:
            found = await work.elevations.get(elevation_id)
            if not caller.principal.may(APPROVE):
                self._check_party(caller, found)
            ending = Ending(ElevationStatus.REVOKED, work.now, caller.subject, comment.strip())
            work.done = await work.elevations.end(elevation_id, ending)
            await self._records.done(caller, Step.REVOKED, work.done)
            await self._live.drop(caller.tenant, work.done)
        return work.done

    def _check_decides(self) -> None:
        """Refuse to promise what calls would not see."""
        page = self._live.elsewhere
        if page is not None:
            place = f"ask at {page}" if page else "ask who manages privileged identities"
            raise Conflict(
                f"Elevation is granted elsewhere for this gateway: {place}.",
                details={"elevation_url": page} if page else {},
            )

    def _may_open(self, caller: Caller, link: Link) -> bool:
        holder = link.holder
        if holder.owner in self._names(caller):
            return not holder.key_id or holder.key_id == caller.principal.key_id
        keys = self._control.snapshot().keys.values()
        return bool(holder.key_id) and any(
            one.key_id == holder.key_id and one.principal.tenant == link.tenant for one in keys
        )

    def _names(self, caller: Caller) -> frozenset[str]:
        people = self._control.snapshot().tenant(caller.tenant).people
        return names_of(caller.principal, people)

    def _maker(self, caller: Caller) -> frozenset[str]:
        """Who made the key that is used: whoever makes keys must not agree with themselves."""
        key_id = caller.principal.key_id
        keys = self._control.snapshot().keys.values() if key_id is not None else ()
        makers = (one.created_by for one in keys if one.key_id == key_id)
        return frozenset(named(one) for one in makers if one)

    def _check_party(self, caller: Caller, found: StoredElevation) -> None:
        """Pass for who asked for it, or has it. To others there is no such request."""
        if self._names(caller).isdisjoint({found.holder.owner, found.asked_owner}):
            raise NotFound(f"There is no request for elevation {found.id}.")

    def _check_other_person(self, caller: Caller, found: StoredElevation) -> None:
        if self._live.terms.self_approval:
            return
        holder = found.holder
        theirs = {holder.owner, found.asked_owner, named(holder.subject), named(found.asked_by)}
        if holder.user_id is not None:
            theirs.add(f"user|{holder.user_id}")
        if not (self._names(caller) | self._maker(caller)).isdisjoint(theirs):
            raise Forbidden(
                "This is your own request, by one of your names or keys, or by who made the key "
                "that you use. Somebody else with the "
                f"permission {APPROVE} must decide about it; where there is nobody else, the "
                "setting elevation.self_approval lifts that.",
                details={"field": "elevation_id"},
            )

    def _minutes(self, wanted: int | None) -> int:
        terms = self._live.terms
        minutes = min(terms.default_minutes, terms.max_minutes) if wanted is None else wanted
        if not 1 <= minutes <= terms.max_minutes:
            raise InvalidValue(
                f"minutes must be 1 to {terms.max_minutes}, not {minutes}.",
                details={"field": "minutes", "max_minutes": terms.max_minutes},
            )
        return minutes

    async def _check_budget(
        self, caller: Caller, work: _Work, holder: Holder, scope: Scope
    ) -> None:
        for one in await work.elevations.alike(holder.owner, scope, ElevationStatus.PENDING):
            if one.holder.key_id == holder.key_id:
                raise Conflict(
                    f"This was asked for already, and waits for a decision: {one.id}.",
                    details={"elevation_id": str(one.id)},
                )
        since = work.now - _DAY
        waiting, recent = await work.elevations.asked(caller.principal.owner, since)
        if waiting >= MOST_WAITING:
            raise TooMany(
                f"You have {waiting} requests that wait for a decision, and {MOST_WAITING} are "
                "allowed. Cancel one, or wait.",
                details={"most_waiting": MOST_WAITING},
            )
        if recent >= MOST_A_DAY:
            raise TooMany(
                f"You made {recent} requests within a day; {MOST_A_DAY} are allowed. Try again "
                "tomorrow.",
                details={"most_a_day": MOST_A_DAY},
            )

    def _ruling(
        self, caller: Caller, found: StoredElevation, approval: Approval, now: datetime
    ) -> Ruling:
        minutes = found.minutes if approval.minutes is None else approval.minutes
        if not 1 <= minutes <= found.minutes:
            raise InvalidValue(
                f"{found.minutes} minutes were asked for; an approval may grant less (1 or more), "
                "but never more.",
                details={"field": "minutes"},
            )
        # What the installation allows may have been lowered since.
        minutes = min(minutes, self._live.terms.max_minutes)
        scope = self._subjects.granted(caller, found, approval)
        return Ruling(
            caller.subject,
            now,
            approval.comment.strip(),
            scope,
            minutes,
            now + timedelta(minutes=minutes),
            f"ELV-{now:%Y}-{found.id.hex[:12]}",
        )

    async def _replace(self, caller: Caller, work: _Work, new: StoredElevation) -> None:
        """End what `new` takes the place of."""
        ending = Ending(
            ElevationStatus.REVOKED, work.now, caller.subject, f"Replaced by {new.reference}."
        )
        for one in await work.elevations.alike(
            new.holder.owner, new.scope, ElevationStatus.APPROVED
        ):
            if one.id != new.id:
                ended = await work.elevations.end(one.id, ending)
                await self._records.done(caller, Step.REVOKED, ended)

    async def _close_overdue(self, caller: Caller) -> None:
        """Close what is past its time, up to a bound; it counts for nothing even before."""
        now = self._live.now()
        async with self._control.read(caller) as rows:
            if not await _elevations(rows).overdue(now, 1):
                return
        async with self._transaction(caller) as work:
            for one in await work.elevations.overdue(now, _MOST_CLOSED):
                over = await work.elevations.end(one.id, Ending(ElevationStatus.EXPIRED, now))
                if one.status is ElevationStatus.APPROVED:
                    await self._live.drop(caller.tenant, over)  # also for a clock that goes back
                await self._records.done(caller, Step.EXPIRED, over)
                self._live.count(Step.EXPIRED)

    @asynccontextmanager
    async def _transaction(self, caller: Caller) -> AsyncGenerator[_Work]:
        async with self._control.database.jotting() as session:
            rows = Rows(session, (await Tenants(session).get(caller.tenant)).id)
            elevations = _elevations(rows)
            await elevations.lock()
            yield _Work(rows, elevations, self._live.now())

    @asynccontextmanager
    async def _step(self, caller: Caller, step: Step, target: str) -> AsyncGenerator[_Work]:
        """One step in a transaction; counted where it succeeds, recorded where it fails."""
        try:
            async with self._transaction(caller) as work:
                yield work
        except (asyncio.CancelledError, Exception) as failure:
            self._records.failed(caller, step, target, failure)
            raise
        self._live.count(step)


def _elevations(rows: Rows) -> Elevations:
    return Elevations(rows.session, rows.tenant_id)


def _check_approver(caller: Caller) -> None:
    if not caller.principal.may(APPROVE):
        raise Forbidden(
            f"This needs the permission {APPROVE}; ask an administrator for a role with it.",
            details={"permission": APPROVE},
        )


def _check_texts(wanted: Wanted) -> None:
    reason, ticket = wanted.reason.strip(), wanted.ticket.strip()
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise InvalidValue(
            f"Say why, in {LEAST_REASON} to {MOST_REASON} characters.", details={"field": "reason"}
        )
    if len(ticket) > MOST_TICKET or not ticket.isprintable():
        raise InvalidValue(
            f"A ticket is one line of at most {MOST_TICKET} characters.",
            details={"field": "ticket"},
        )


def _check_comment(comment: str) -> None:
    if len(comment) > MOST_COMMENT:
        raise InvalidValue(
            f"A comment has at most {MOST_COMMENT} characters.", details={"field": "comment"}
        )
