"""Sign-ins opened, renewed and ended, each on record before its cookie leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.signin.browsers import Browsers, Visitor
from bascule.api.signin.cookies import Ticket, new_ticket
from bascule.api.signin.visits import Event, Visit, write_down
from bascule.storage.repositories.sessions import SessionDraft, Sessions, StoredSession
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import StoredUser, Users

_KEPT_AFTER_EXPIRY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Vouched:
    """By whom somebody is vouched for: an issuer and what it said, or a password alone.

    `by` is for records.
    """

    issuer: str = ""
    claims: Mapping[str, object] = field(default_factory=dict[str, object])
    by: str = "password"


class Entries:
    """Every way in ends in `open`: a new cookie, so that nobody keeps one that was planted."""

    def __init__(self, control: Control, browsers: Browsers) -> None:
        self.control = control
        self.browsers = browsers

    async def open(
        self, visit: Visit, tenant: str, user: StoredUser, vouched: Vouched, old: Ticket | None
    ) -> Ticket | None:
        """A cookie for `user`, in the place of `old`; None where they may not come in any more.

        Raises:
            StorageError, RecordingFailed: nobody is signed in.
        """
        ticket, now = new_ticket(tenant), self.browsers.now()
        async with self.control.database.jotting() as session:
            rows = Rows(session, (await Tenants(session).get(tenant)).id)
            users, sessions = Users(session, rows.tenant_id), Sessions(session, rows.tenant_id)
            known = await users.find_by_id(user.id)
            if known is None or not known.is_active or known.password_hash != user.password_hash:
                return None
            if old is not None and old.tenant == tenant:
                await self._end_old(sessions, old, now)
            await sessions.forget(now - _KEPT_AFTER_EXPIRY)
            opened = await self.keep(rows, visit, ticket, user.id, vouched)
            await users.note_sign_in(user.id, now)
            event = Event("sign_in", tenant, user.name)
            await write_down(self.control, visit, event, by=vouched.by, session=str(opened.id))
        self.browsers.forget(user.id)
        return ticket

    async def keep(
        self, rows: Rows, visit: Visit, ticket: Ticket, user_id: UUID, vouched: Vouched
    ) -> StoredSession:
        """Write a sign-in into a transaction; whoever calls this has it recorded."""
        now = self.browsers.now()
        draft = SessionDraft(
            user_id=user_id,
            digest=ticket.digest,
            created_at=now,
            expires_at=now + self.browsers.lifetimes.whole,
            issuer=vouched.issuer,
            claims=vouched.claims,
            peer=visit.peer,
            agent=visit.agent,
        )
        return await Sessions(rows.session, rows.tenant_id).open(draft)

    async def renew(self, rows: Rows, visit: Visit, visitor: Visitor) -> Ticket:
        """End all of the visitor's sessions but for this one, which goes on with a new cookie."""
        sessions, here = Sessions(rows.session, rows.tenant_id), visitor.session
        ticket, now = new_ticket(visitor.principal.tenant), self.browsers.now()
        await sessions.end_all(here.user_id, now)
        draft = SessionDraft(
            user_id=here.user_id,
            digest=ticket.digest,
            created_at=now,
            expires_at=here.expires_at,
            issuer=here.issuer,
            claims=here.claims,
            peer=visit.peer,
            agent=visit.agent,
        )
        await sessions.open(draft)
        return ticket

    async def end(self, visit: Visit, visitor: Visitor, session_id: UUID) -> None:
        """End one of the visitor's sessions.

        Raises:
            NotFound: the visitor has none with that id.
        """
        tenant, user_id = visitor.principal.tenant, visitor.session.user_id
        async with self.control.database.jotting() as session:
            tenant_id = (await Tenants(session).get(tenant)).id
            await Sessions(session, tenant_id).end(user_id, session_id, self.browsers.now())
            event = Event("sign_out", tenant, visitor.principal.subject)
            await write_down(self.control, visit, event, session=str(session_id))
        self.browsers.forget(user_id)

    async def end_everywhere(self, visit: Visit, visitor: Visitor) -> None:
        """End every session of the visitor, and whatever an issuer gave before now."""
        principal, user_id = visitor.principal, visitor.session.user_id
        caller = Caller(principal, visit.correlation_id)

        def at_once() -> None:
            self.browsers.forget(user_id)

        target = principal.subject
        async with self.control.change(caller, "user.sign_out", target, then=at_once) as rows:
            await Users(rows.session, rows.tenant_id).sign_out_everywhere(user_id)
            event = Event("sign_out.everywhere", principal.tenant, principal.subject)
            await write_down(self.control, visit, event)

    async def account(self, visitor: Visitor) -> StoredUser | None:
        """What is known of the visitor."""
        async with self.control.database.read() as session:
            tenant_id = (await Tenants(session).get(visitor.principal.tenant)).id
            return await Users(session, tenant_id).find_by_id(visitor.session.user_id)

    async def list(self, visitor: Visitor) -> tuple[StoredSession, ...]:
        """The visitor's sessions that are not over, this one first."""
        here, now = visitor.session, self.browsers.now()
        async with self.control.database.read() as session:
            tenant_id = (await Tenants(session).get(visitor.principal.tenant)).id
            found = await Sessions(session, tenant_id).list(here.user_id, now)
        others = (one for one in found if one.id != here.id)
        idle = self.browsers.lifetimes.idle
        return (here, *(one for one in others if one.seen_at + idle > now))

    async def _end_old(self, sessions: Sessions, old: Ticket, now: datetime) -> None:
        known = await sessions.find(old.digest)
        if known is not None:
            await sessions.end(known.user_id, known.id, now)
            self.browsers.forget(known.user_id)
