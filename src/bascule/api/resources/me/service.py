"""Whoever asks: who they are here, and the keys that they make for themselves."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.granting import refuse_beyond, refuse_mightier
from bascule.api.resources.me.schemas import Me, OwnKey, OwnKeyCreate, OwnKeyCreated
from bascule.gateway.errors import Conflict, Forbidden, InvalidValue, NotFound
from bascule.gateway.permissions import PERMISSIONS
from bascule.gateway.principal import Means
from bascule.identity.api_keys import new_key
from bascule.storage.repositories.keys import KeyDraft, Keys, StoredKey
from bascule.storage.repositories.users import StoredUser, Users

_MOST_KEYS: Final = 25
_SIGNED_IN: Final = frozenset({Means.SESSION, Means.TOKEN})


async def who(control: Control, caller: Caller) -> Me:
    """What this installation knows of the caller."""
    principal = caller.principal
    account: StoredUser | None = None
    if principal.user_id is not None and caller.home is None:
        async with control.read(caller) as rows:
            account = await _users(rows).find_by_id(UUID(principal.user_id))
    claimed = "" if principal.evidence is None else principal.evidence.display
    return Me(
        name=caller.subject,
        display_name=claimed if account is None else account.display_name or claimed,
        email="" if account is None else account.email,
        user_id=None if principal.user_id is None else UUID(principal.user_id),
        tenant=caller.tenant,
        home_tenant=caller.home or caller.tenant,
        means=principal.means,
        issuer="" if principal.evidence is None else principal.evidence.issuer,
        agent=principal.agent,
        key_id=principal.key_id,
        roles=sorted(principal.roles),
        groups=sorted(principal.groups),
        permissions=[one for one in PERMISSIONS if principal.may(one)],
        withheld=sorted(principal.withheld),
    )


async def list_keys(control: Control, caller: Caller) -> list[OwnKey]:
    """The caller's personal keys.

    Raises:
        Forbidden: the caller is nobody who has an account here, or acts in another tenant.
    """
    owner = _owner(caller)
    async with control.read(caller) as rows:
        return [_shown(key) for key in await _keys(rows).list(owner)]


async def create_key(control: Control, caller: Caller, wanted: OwnKeyCreate) -> OwnKeyCreated:
    """Make a personal key, which never has more than its owner has now, or will have.

    Raises:
        Forbidden: the caller has no account here, did not sign in, or may not do as much.
        InvalidValue: a role does not exist, or was not given to the caller here.
        Conflict: a valid key of that name exists, or there are many already.
    """
    owner, secret = _owner(caller), new_key()
    if caller.principal.means not in _SIGNED_IN:
        raise Forbidden("A key makes no further keys. Sign in, or ask an administrator for one.")
    refuse_beyond(caller, wanted.scopes or (), "The key")
    days, scopes = wanted.expires_in_days, _scopes(caller, wanted.scopes)
    details: dict[str, object] = {"prefix": secret.prefix, "expires_in_days": days}
    async with control.change(caller, "key.create_own", wanted.name, details) as rows:
        account = await _users(rows).find_by_id(owner)
        roles = _roles(account, frozenset(wanted.roles))
        details |= {"roles": sorted(roles), "scopes": None if scopes is None else sorted(scopes)}
        await refuse_mightier(rows, caller, roles, "A key", scopes)
        await _refuse_many(rows, owner)
        draft = KeyDraft(
            name=wanted.name,
            digest=secret.digest,
            prefix=secret.prefix,
            roles=roles,
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
            scopes=scopes,
            user_id=owner,
        )
        stored = await _keys(rows).create(draft)
    return OwnKeyCreated(key=secret.secret, **_shown(stored).model_dump())


async def revoke_key(control: Control, caller: Caller, key_id: UUID) -> OwnKey:
    """Revoke a personal key of the caller's, at once and for good.

    Raises:
        Forbidden: the caller has no account here, or acts in another tenant.
        NotFound: the caller has no such key.
    """
    owner = _owner(caller)

    def at_once() -> None:
        control.revocations.revoke(str(key_id))

    async with control.change(caller, "key.revoke_own", str(key_id), then=at_once) as rows:
        if all(key.id != key_id for key in await _keys(rows).list(owner)):
            raise NotFound(f"You have no API key {key_id}.")
        stored = await _keys(rows).revoke(key_id)
    return _shown(stored)


def _owner(caller: Caller) -> UUID:
    if caller.home is not None:
        raise Forbidden(
            "Your own keys are in your own tenant: leave out the header that names one."
        )
    if caller.principal.user_id is None:
        raise Forbidden(
            "Personal keys are for people who have an account here. Ask an administrator for one, "
            "or for a key."
        )
    return UUID(caller.principal.user_id)


def _scopes(caller: Caller, wanted: list[str] | None) -> frozenset[str] | None:
    """What the key is limited to: at the least what the caller's own credential is."""
    if wanted is not None:
        return frozenset(wanted)
    return caller.principal.permissions if caller.principal.withheld else None


def _roles(account: StoredUser | None, wanted: frozenset[str]) -> frozenset[str]:
    given = frozenset[str]() if account is None else account.roles
    beyond = sorted(wanted - given)
    if beyond or not given:
        named = f"the roles {', '.join(beyond)}" if beyond else "any role"
        raise InvalidValue(
            f"You were not given {named} here. Roles that an issuer claims for you come with each "
            "sign-in, and cannot be put into a key. Ask an administrator.",
            details={"field": "roles", "known": sorted(given)},
        )
    return wanted or given


async def _refuse_many(rows: Rows, owner: UUID) -> None:
    live = [key for key in await _keys(rows).list(owner) if key.revoked_at is None]
    if len(live) >= _MOST_KEYS:
        raise Conflict(f"You have {len(live)} keys already. Revoke one that you do not use.")


def _keys(rows: Rows) -> Keys:
    return Keys(rows.session, rows.tenant_id)


def _users(rows: Rows) -> Users:
    return Users(rows.session, rows.tenant_id)


def _shown(stored: StoredKey) -> OwnKey:
    return OwnKey(
        key_id=stored.id,
        name=stored.name,
        prefix=stored.prefix,
        roles=sorted(stored.roles),
        scopes=None if stored.scopes is None else sorted(stored.scopes),
        created_at=stored.created_at,
        expires_at=stored.expires_at,
        revoked_at=stored.revoked_at,
        last_used_at=stored.last_used_at,
    )
