"""Making, listing, rotating and revoking API keys."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.granting import refuse_mightier
from bascule.api.keeping import keeping_administrators
from bascule.api.resources.keys.schemas import Key, KeyCreate, KeyCreated
from bascule.gateway.errors import InvalidValue
from bascule.identity.api_keys import new_key
from bascule.storage.repositories.keys import KeyDraft, Keys, NewSecret, StoredKey
from bascule.storage.repositories.users import StoredUser, Users


async def create_key(control: Control, caller: Caller, wanted: KeyCreate) -> KeyCreated:
    """Make a key; only its digest is stored.

    Raises:
        Forbidden: the key, or the person it is for, could do what its maker may not.
        InvalidValue: a role does not exist, or its person does not have it.
        NotFound: there is no such person.
        Conflict: a valid key of that name exists.
    """
    secret = new_key()
    days = wanted.expires_in_days
    scopes = None if wanted.scopes is None else frozenset(wanted.scopes)
    details: dict[str, object] = {"prefix": secret.prefix, "user": wanted.user}
    async with control.change(caller, "key.create", wanted.name, details) as rows:
        user = await _user(rows, wanted.user)
        roles = _roles(frozenset(wanted.roles), user)
        details |= {"roles": sorted(roles), "scopes": wanted.scopes, "expires_in_days": days}
        await refuse_mightier(rows, caller, roles, "A key", scopes)
        await _refuse_mightier_person(rows, caller, user)
        draft = KeyDraft(
            name=wanted.name,
            digest=secret.digest,
            prefix=secret.prefix,
            roles=roles,
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
            scopes=scopes,
            user_id=None if user is None else user.id,
        )
        stored = await _keys(rows).create(draft)
    return KeyCreated(key=secret.secret, **_shown(stored).model_dump())


async def list_keys(control: Control, caller: Caller) -> list[Key]:
    """Every key of the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(key) for key in await _keys(rows).list()]


async def rotate_key(
    control: Control, caller: Caller, key_id: UUID, grace_seconds: int
) -> KeyCreated:
    """Give a key another secret; the one before is accepted for the grace, and no longer.

    Raises:
        NotFound: the tenant has no such key.
        Forbidden: the key, or the person it is for, can do what the caller may not.
        Conflict: it is revoked.
    """
    secret = new_key()
    until = datetime.now(UTC) + timedelta(seconds=grace_seconds) if grace_seconds else None
    details: dict[str, object] = {
        "after": {"prefix": secret.prefix},
        "grace_seconds": grace_seconds,
    }
    async with control.change(caller, "key.rotate", str(key_id), details) as rows:
        before = await _within_reach(rows, caller, key_id)
        details |= {"name": before.name, "before": {"prefix": before.prefix}}
        new = NewSecret(secret.digest, secret.prefix, until)
        stored = await _keys(rows).rotate(key_id, new)
    return KeyCreated(key=secret.secret, **_shown(stored).model_dump())


async def revoke_key(control: Control, caller: Caller, key_id: UUID) -> Key:
    """Revoke a key: refused from the next call on, in this process even before the snapshot.

    Raises:
        NotFound: the tenant has no such key.
        Forbidden: the key, or the person it is for, can do what the caller may not.
        Conflict: nobody would be left to administer, or it is the caller's own.
    """
    details: dict[str, object] = {}

    def at_once() -> None:
        control.revocations.revoke(str(key_id))

    async with control.change(caller, "key.revoke", str(key_id), details, at_once) as rows:
        details["name"] = (await _within_reach(rows, caller, key_id)).name
        async with keeping_administrators(rows, caller):
            stored = await _keys(rows).revoke(key_id)
    return _shown(stored)


async def _within_reach(rows: Rows, caller: Caller, key_id: UUID) -> StoredKey:
    """A key that can do no more than `caller`, and neither can the person it is for.

    Raises:
        NotFound: the tenant has no such key.
        Forbidden: one of them can.
    """
    key = await _keys(rows).get(key_id)
    await refuse_mightier(rows, caller, key.roles, "A key", key.scopes)
    if key.user_id is not None:
        user = await Users(rows.session, rows.tenant_id).find_by_id(key.user_id)
        await _refuse_mightier_person(rows, caller, user)
    return key


async def _refuse_mightier_person(rows: Rows, caller: Caller, user: StoredUser | None) -> None:
    # One's own key may be limited to less than one has, and still be changed by itself.
    if user is not None and caller.principal.user_id != str(user.id):
        await refuse_mightier(rows, caller, user.roles, f"The user {user.name}")


async def _user(rows: Rows, name: str | None) -> StoredUser | None:
    return None if name is None else await Users(rows.session, rows.tenant_id).get(name)


def _roles(wanted: frozenset[str], user: StoredUser | None) -> frozenset[str]:
    """The roles of the key: those that are asked for, or all of its person's."""
    if user is None:
        return wanted
    beyond = sorted(wanted - user.roles)
    if beyond:
        raise InvalidValue(
            f"{user.name} does not have the roles {', '.join(beyond)}, so that a key of theirs "
            "could not use them. Give them the roles first.",
            details={"field": "roles", "known": sorted(user.roles)},
        )
    return wanted or user.roles


def _keys(rows: Rows) -> Keys:
    return Keys(rows.session, rows.tenant_id)


def _shown(stored: StoredKey) -> Key:
    return Key(
        key_id=stored.id,
        name=stored.name,
        prefix=stored.prefix,
        roles=sorted(stored.roles),
        scopes=None if stored.scopes is None else sorted(stored.scopes),
        user=stored.user,
        created_at=stored.created_at,
        created_by=stored.created_by,
        expires_at=stored.expires_at,
        revoked_at=stored.revoked_at,
        last_used_at=stored.last_used_at,
    )
