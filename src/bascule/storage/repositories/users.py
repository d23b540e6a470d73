"""People of one tenant: accounts, and whom issuers vouch for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.counter import author_of
from bascule.storage.identity_tables import (
    UserGrantRow,
    UserIdentityRow,
    UserRow,
    UserSessionRow,
)
from bascule.storage.repositories.conversations import Conversations
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import ApiKeyRow
from bascule.storage.types import utc_now


@dataclass(frozen=True, slots=True)
class UserDraft:
    """A person to add. `password_hash` is in PHC form; None for who signs in elsewhere."""

    name: str
    display_name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()
    password_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What to change about a person; None leaves a field as it is."""

    display_name: str | None = None
    email: str | None = None
    roles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """How an issuer calls somebody."""

    issuer: str
    subject: str

    @property
    def owner(self) -> str:
        """Whose things were: as `Principal.owner` of the bearer of a token, without an account."""
        return f"token|{self.issuer}|{self.subject}"


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """How an issuer calls somebody, and since when that is known here."""

    identity: Identity
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A person as kept here. The hash of a password is for who verifies one, and never shown."""

    id: UUID
    name: str
    display_name: str
    email: str
    roles: frozenset[str]
    is_active: bool
    password_hash: str | None = field(repr=False)
    password_changed_at: datetime | None
    signed_out_at: datetime | None
    last_sign_in_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    identities: tuple[Identity, ...] = ()

    @property
    def owner(self) -> str:
        """Whose things are: as `Principal.owner` of this person."""
        return f"user|{self.id}"


class Users(Scoped):
    """A tenant's people. What concerns their credentials is in force with the next snapshot."""

    async def create(self, draft: UserDraft) -> StoredUser:
        """Add a person, active.

        Raises:
            Conflict: the name is taken, or differs from one only in the case of its letters.
            InvalidValue: a role does not exist.
        """
        await Roles(self._session, self._tenant_id).check(draft.roles)
        await self._check_name(draft.name)
        row = UserRow(
            tenant_id=self._tenant_id,
            name=draft.name,
            display_name=draft.display_name,
            email=draft.email,
            roles=sorted(draft.roles),
            password_hash=draft.password_hash,
            password_changed_at=utc_now() if draft.password_hash else None,
            created_by=author_of(self._session),
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row, ())

    async def get(self, name: str) -> StoredUser:
        """The person of that name.

        Raises:
            NotFound: there is none.
        """
        return await self._whole(await self._row(name))

    async def find(self, name: str) -> StoredUser | None:
        """The person of that name, if there is one."""
        return await self._found(UserRow.name == name)

    async def find_by_id(self, user_id: UUID) -> StoredUser | None:
        """The person with that id, if there is one."""
        return await self._found(UserRow.id == user_id)

    async def find_by_identity(self, issuer: str, subject: str) -> StoredUser | None:
        """The person whom `issuer` calls `subject`, if known here."""
        user_id = await self._session.scalar(
            select(UserIdentityRow.user_id).where(
                UserIdentityRow.tenant_id == self._tenant_id,
                UserIdentityRow.issuer == issuer,
                UserIdentityRow.subject == subject,
            )
        )
        return None if user_id is None else await self.find_by_id(user_id)

    async def list(
        self, *, search: str = "", is_active: bool | None = None, page: int = 1, limit: int = 50
    ) -> Page[StoredUser]:
        """A page of people by name; `search` is in their name, display name or e-mail address."""
        offset = offset_of(page, limit)
        wanted = [UserRow.tenant_id == self._tenant_id]
        if is_active is not None:
            wanted.append(UserRow.is_active.is_(is_active))
        if search:
            columns = (UserRow.name, UserRow.display_name, UserRow.email)
            wanted.append(or_(*(one.icontains(search, autoescape=True) for one in columns)))
        total = await self._session.scalar(select(func.count(UserRow.id)).where(*wanted)) or 0
        rows = (
            await self._session.scalars(
                select(UserRow).where(*wanted).order_by(UserRow.name).offset(offset).limit(limit)
            )
        ).all()
        known = await self._identities([row.id for row in rows])
        people = tuple(_stored(row, known.get(row.id, ())) for row in rows)
        return Page(people, total, page, limit)

    async def update(self, name: str, changes: UserChanges) -> StoredUser:
        """Change what `changes` says.

        Raises:
            NotFound: there is none of that name.
            InvalidValue: a role does not exist.
        """
        row = await self._row(name)
        if changes.roles is not None:
            await Roles(self._session, self._tenant_id).check(changes.roles)
            row.roles = sorted(changes.roles)
        if changes.display_name is not None:
            row.display_name = changes.display_name
        if changes.email is not None:
            row.email = changes.email
        await self._session.flush()
        return await self._whole(row)

    async def set_active(self, name: str, *, is_active: bool) -> StoredUser:
        """Let a person in, or keep them out; whoever is kept out is signed out, too.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._row(name)
        row.is_active = is_active
        if not is_active:
            await self._end_sessions(row)
        await self._session.flush()
        return await self._whole(row)

    async def set_password_hash(self, user_id: UUID, password_hash: str | None) -> None:
        """Set what a password is verified with, or None for no password; sessions go on.

        Raises:
            NotFound: there is nobody with that id.
        """
        row = await self._by_id(user_id)
        row.password_hash = password_hash
        row.password_changed_at = utc_now()
        await self._session.flush()

    async def rehash(self, user_id: UUID, known: str | None, password_hash: str) -> None:
        """Keep the same password in another form, unless it was changed; for `Database.jotting`."""
        await self._session.execute(
            update(UserRow)
            .where(
                UserRow.tenant_id == self._tenant_id,
                UserRow.id == user_id,
                UserRow.password_hash == known,
            )
            .values(password_hash=password_hash, updated_at=UserRow.updated_at)
        )

    async def note_sign_in(self, user_id: UUID, at: datetime | None = None) -> None:
        """Note that somebody signed in; for `Database.jotting`, as no snapshot holds it."""
        await self._session.execute(
            update(UserRow)
            .where(UserRow.tenant_id == self._tenant_id, UserRow.id == user_id)
            .values(last_sign_in_at=at or utc_now(), updated_at=UserRow.updated_at)
        )

    async def sign_out_everywhere(self, user_id: UUID) -> datetime:
        """End every session, and every token issued before now; gives the moment.

        API keys of the person stay: they are revoked one by one.

        Raises:
            NotFound: there is nobody with that id.
        """
        row = await self._by_id(user_id)
        moment = await self._end_sessions(row)
        await self._session.flush()
        return moment

    async def identities(self, user_id: UUID) -> tuple[LinkedIdentity, ...]:
        """How issuers call a person, by issuer and subject."""
        rows = await self._session.scalars(
            select(UserIdentityRow)
            .where(UserIdentityRow.tenant_id == self._tenant_id, UserIdentityRow.user_id == user_id)
            .order_by(UserIdentityRow.issuer, UserIdentityRow.subject)
        )
        return tuple(
            LinkedIdentity(Identity(row.issuer, row.subject), row.created_at) for row in rows
        )

    async def link(self, user_id: UUID, identity: Identity) -> None:
        """Note how an issuer calls a person; a second time changes nothing.

        What upstreams gave the bearer of its tokens before is nobody's any more, and removed.

        Raises:
            NotFound: there is nobody with that id.
            Conflict: the issuer's subject is somebody else here.
            InvalidValue: the issuer or subject is empty.
        """
        if not identity.issuer or not identity.subject:
            raise InvalidValue("An identity has an issuer and a subject.")
        row = await self._by_id(user_id)
        known = await self.find_by_identity(identity.issuer, identity.subject)
        if known is not None and known.id != row.id:
            raise Conflict(
                f"{identity.issuer} calls {known.name} {identity.subject} already.",
                details={"user": known.name},
            )
        if known is None:
            self._session.add(
                UserIdentityRow(
                    tenant_id=self._tenant_id,
                    user_id=row.id,
                    issuer=identity.issuer,
                    subject=identity.subject,
                )
            )
            await self._forget_grants(identity.owner)
            await self._session.flush()

    async def unlink(self, user_id: UUID, identity: Identity) -> None:
        """Forget how an issuer calls a person; the person is signed out everywhere.

        What upstreams gave them is removed as well: nothing says who of those that were this
        person consented to it.

        Raises:
            NotFound: there is nobody with that id, or the issuer does not call them so.
        """
        row = await self._by_id(user_id)
        gone = await self._session.scalar(
            delete(UserIdentityRow)
            .where(
                UserIdentityRow.tenant_id == self._tenant_id,
                UserIdentityRow.user_id == row.id,
                UserIdentityRow.issuer == identity.issuer,
                UserIdentityRow.subject == identity.subject,
            )
            .returning(UserIdentityRow.id)
        )
        if gone is None:
            raise NotFound(f"{row.name} is not {identity.subject} of {identity.issuer}.")
        await self._end_sessions(row)
        await self._forget_grants(f"user|{row.id}", identity.owner)
        await self._session.flush()

    async def delete(self, name: str) -> StoredUser:
        """Remove a person with identities, sessions, personal keys, conversations and grants.

        Gives the person as they were. Who has a token of an issuer comes in again, as a stranger
        with the roles of its claims: to keep somebody out, deactivate them.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._row(name)
        gone = await self._whole(row)
        await self._session.execute(
            update(ApiKeyRow)
            .where(
                ApiKeyRow.tenant_id == self._tenant_id,
                ApiKeyRow.user_id == row.id,
                ApiKeyRow.revoked_at.is_(None),
            )
            .values(revoked_at=utc_now())
        )
        await self._forget_grants(gone.owner)
        await Conversations(self._session, self._tenant_id, gone.owner).remove_all()
        await self._session.delete(row)
        await self._session.flush()
        return gone

    async def _end_sessions(self, row: UserRow) -> datetime:
        moment = utc_now()
        row.signed_out_at = moment
        await self._session.execute(
            update(UserSessionRow)
            .where(
                UserSessionRow.tenant_id == self._tenant_id,
                UserSessionRow.user_id == row.id,
                UserSessionRow.ended_at.is_(None),
            )
            .values(ended_at=moment)
        )
        return moment

    async def _forget_grants(self, *owners: str) -> None:
        await self._session.execute(
            delete(UserGrantRow).where(
                UserGrantRow.tenant_id == self._tenant_id, UserGrantRow.owner.in_(owners)
            )
        )

    async def _check_name(self, name: str) -> None:
        names = select(UserRow.name).where(UserRow.tenant_id == self._tenant_id)
        if name.isascii():  # the one alphabet whose letters both engines fold alike
            names = names.where(func.lower(UserRow.name) == name.lower())
        for known in await self._session.scalars(names):
            if known.casefold() == name.casefold():
                raise Conflict(
                    f"A user named {known} exists already. Choose another name.",
                    details={"field": "name"},
                )

    async def _found(self, where: ColumnElement[bool]) -> StoredUser | None:
        row = await self._one(where)
        return None if row is None else await self._whole(row)

    async def _row(self, name: str) -> UserRow:
        row = await self._one(UserRow.name == name)
        if row is None:
            guess = did_you_mean(name, await self._names())
            raise NotFound(f"There is no user named {name}.{guess}", details={"field": "user"})
        return row

    async def _by_id(self, user_id: UUID) -> UserRow:
        row = await self._one(UserRow.id == user_id)
        if row is None:
            raise NotFound(f"There is no user {user_id}.")
        return row

    async def _one(self, where: ColumnElement[bool]) -> UserRow | None:
        statement = select(UserRow).where(and_(UserRow.tenant_id == self._tenant_id, where))
        return (await self._session.scalars(statement)).one_or_none()

    async def _names(self) -> Iterable[str]:
        return await self._session.scalars(
            select(UserRow.name).where(UserRow.tenant_id == self._tenant_id).limit(_MOST_GUESSED)
        )

    async def _whole(self, row: UserRow) -> StoredUser:
        return _stored(row, (await self._identities([row.id])).get(row.id, ()))

    async def _identities(self, people: Sequence[UUID]) -> Mapping[UUID, tuple[Identity, ...]]:
        rows = await self._session.execute(
            select(UserIdentityRow.user_id, UserIdentityRow.issuer, UserIdentityRow.subject)
            .where(
                UserIdentityRow.tenant_id == self._tenant_id, UserIdentityRow.user_id.in_(people)
            )
            .order_by(UserIdentityRow.issuer, UserIdentityRow.subject)
        )
        known: defaultdict[UUID, tuple[Identity, ...]] = defaultdict(tuple)
        for user_id, issuer, subject in rows:
            known[user_id] += (Identity(issuer, subject),)
        return known


_MOST_GUESSED = 2000


def _stored(row: UserRow, identities: tuple[Identity, ...]) -> StoredUser:
    return StoredUser(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        email=row.email,
        roles=frozenset(row.roles),
        is_active=row.is_active,
        password_hash=row.password_hash,
        password_changed_at=row.password_changed_at,
        signed_out_at=row.signed_out_at,
        last_sign_in_at=row.last_sign_in_at,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        identities=identities,
    )
