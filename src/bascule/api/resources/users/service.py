"""People: added, changed, let in and kept out, signed out, removed."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.granting import refuse_mightier
from bascule.api.keeping import keeping_administrators
from bascule.api.resources.users.schemas import (
    Identity,
    PasswordChanged,
    PasswordSet,
    User,
    UserCreate,
    UserList,
    UserUpdate,
)
from bascule.gateway.errors import InvalidValue
from bascule.identity.passwords import weakness
from bascule.storage.repositories.keys import Keys
from bascule.storage.repositories.users import StoredUser, UserChanges, UserDraft, Users

_RANDOM_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people to list."""

    search: str = ""
    is_active: bool | None = None
    page: int = 1
    limit: int = 50


async def list_users(control: Control, caller: Caller, wanted: Wanted) -> UserList:
    """A page of the caller's tenant's people."""
    async with control.read(caller) as rows:
        found = await _users(rows).list(**asdict(wanted))
    users = [_shown(one) for one in found.items]
    return UserList(users=users, total=found.total, page=found.page, limit=found.limit)


async def get_user(control: Control, caller: Caller, name: str) -> User:
    """One person.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        return _shown(await _users(rows).get(name))


async def create_user(control: Control, caller: Caller, wanted: UserCreate) -> User:
    """Add a person, active.

    Raises:
        Forbidden: they could do what the caller may not.
        InvalidValue: a role does not exist.
        Conflict: the name is taken.
    """
    draft = UserDraft(wanted.name, wanted.display_name, wanted.email, frozenset(wanted.roles))
    details = {"roles": sorted(wanted.roles)}
    async with control.change(caller, "user.create", wanted.name, details) as rows:
        await refuse_mightier(rows, caller, draft.roles, "A user")
        return _shown(await _users(rows).create(draft))


async def update_user(control: Control, caller: Caller, name: str, wanted: UserUpdate) -> User:
    """Change what is said of a person, or their roles.

    Raises:
        NotFound: there is none of that name.
        Forbidden: they can do what the caller may not, or would.
        InvalidValue: a role does not exist.
        Conflict: nobody would be left to administer.
    """
    roles = None if wanted.roles is None else frozenset(wanted.roles)
    changes = UserChanges(wanted.display_name, wanted.email, roles)
    details: dict[str, object] = {}
    async with control.change(caller, "user.update", name, details) as rows:
        async with changing(rows, caller, name) as before:
            await refuse_mightier(rows, caller, (roles or frozenset()) - before.roles, "A user")
            after = await _users(rows).update(name, changes)
        details.update(before=_told(before), after=_told(after))
    return _shown(after)


async def deactivate_user(control: Control, caller: Caller, name: str) -> User:
    """Keep somebody out, with sessions, tokens and personal keys; in this process at once.

    Raises:
        NotFound: there is none of that name.
        Forbidden: they can do what the caller may not.
        Conflict: it is the caller, or nobody would be left to administer.
    """
    ended: list[str] = []

    def at_once() -> None:
        for one in ended:
            control.revocations.revoke(one)

    async with control.change(caller, "user.deactivate", name, then=at_once) as rows:
        async with changing(rows, caller, name) as before:
            after = await _users(rows).set_active(name, is_active=False)
        ended.append(str(before.id))
    return _shown(after)


async def activate_user(control: Control, caller: Caller, name: str) -> User:
    """Let somebody in again; sessions stay ended.

    Raises:
        NotFound: there is none of that name.
        Forbidden: they could do what the caller may not.
    """
    restored: list[str] = []

    def at_once() -> None:
        for one in restored:
            control.revocations.restore(one)

    async with control.change(caller, "user.activate", name, then=at_once) as rows:
        users = _users(rows)
        before = await users.get(name)
        await refuse_mightier(rows, caller, before.roles, f"The user {name}")
        after = await users.set_active(name, is_active=True)
        restored.append(str(after.id))
    return _shown(after)


async def sign_out_user(control: Control, caller: Caller, name: str) -> User:
    """End somebody's sessions, and what their issuer gave them before now.

    Raises:
        NotFound: there is none of that name.
        Forbidden: they can do what the caller may not.
    """
    async with control.change(caller, "user.sign_out", name) as rows:
        users = _users(rows)
        before = await users.get(name)
        await refuse_mightier(rows, caller, before.roles, f"The user {name}")
        await users.sign_out_everywhere(before.id)
        return _shown(await users.get(name))


async def set_password(
    control: Control, caller: Caller, name: str, wanted: PasswordSet
) -> PasswordChanged:
    """Set somebody's password, and end their sessions.

    Raises:
        NotFound: there is none of that name.
        Forbidden: they can do what the caller may not.
        InvalidValue: the password is too easy to guess, or there are no passwords here.
    """
    if control.passwords is None:
        raise InvalidValue("People do not sign in with passwords here: identity.local_accounts.")
    given = None if wanted.password is None else wanted.password.get_secret_value()
    password = given or secrets.token_urlsafe(_RANDOM_BYTES)
    if found := weakness(password, name, control.least_password_characters):
        raise InvalidValue(found, details={"field": "password"})
    kept = await control.passwords.hash(password)
    details = {"made_up": given is None}
    async with (
        control.change(caller, "user.password", name, details) as rows,
        changing(rows, caller, name) as before,
    ):
        users = _users(rows)
        await users.set_password_hash(before.id, kept)
        await users.sign_out_everywhere(before.id)
    return PasswordChanged(name=name, password=None if given else password)


async def delete_user(control: Control, caller: Caller, name: str) -> None:
    """Remove somebody, with their sessions and personal keys.

    Raises:
        NotFound: there is none of that name.
        Forbidden: they can do what the caller may not.
        Conflict: it is the caller, or nobody would be left to administer.
    """
    ended: list[str] = []
    details: dict[str, object] = {}

    def at_once() -> None:
        for one in ended:
            control.revocations.revoke(one)

    async with control.change(caller, "user.delete", name, details, at_once) as rows:
        async with changing(rows, caller, name) as before:
            keys = await Keys(rows.session, rows.tenant_id).list(before.id)
            await _users(rows).delete(name)
        ended += [str(before.id), *(str(key.id) for key in keys)]
        details["before"] = _told(before)


@asynccontextmanager
async def changing(rows: Rows, caller: Caller, name: str) -> AsyncGenerator[StoredUser]:
    """A block that changes somebody who can do no more than the caller, and leaves an admin."""
    before = await _users(rows).get(name)
    await refuse_mightier(rows, caller, before.roles, f"The user {name}")
    async with keeping_administrators(rows, caller):
        yield before


def _users(rows: Rows) -> Users:
    return Users(rows.session, rows.tenant_id)


def _told(user: StoredUser) -> dict[str, object]:
    """What a record says of a person."""
    return {
        "roles": sorted(user.roles),
        "display_name": user.display_name,
        "email": user.email,
        "is_active": user.is_active,
    }


def _shown(stored: StoredUser) -> User:
    return User(
        user_id=stored.id,
        name=stored.name,
        display_name=stored.display_name,
        email=stored.email,
        roles=sorted(stored.roles),
        is_active=stored.is_active,
        has_password=stored.password_hash is not None,
        identities=[Identity(issuer=one.issuer, subject=one.subject) for one in stored.identities],
        last_sign_in_at=stored.last_sign_in_at,
        password_changed_at=stored.password_changed_at,
        signed_out_at=stored.signed_out_at,
        created_by=stored.created_by,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
