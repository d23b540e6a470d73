"""Making, listing and revoking API keys."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.keys.schemas import Key, KeyCreate, KeyCreated
from bascule.gateway.errors import Forbidden
from bascule.identity.api_keys import new_key
from bascule.storage.repositories.keys import KeyDraft, Keys, StoredKey
from bascule.storage.repositories.roles import Roles


async def create_key(control: Control, caller: Caller, wanted: KeyCreate) -> KeyCreated:
    """Make a key; only its digest is stored.

    Raises:
        Forbidden: the key could do what its maker may not.
        InvalidValue: a role does not exist.
        Conflict: a valid key of that name exists.
    """
    secret = new_key()
    days = wanted.expires_in_days
    draft = KeyDraft(
        name=wanted.name,
        digest=secret.digest,
        prefix=secret.prefix,
        roles=frozenset(wanted.roles),
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    details = {"roles": sorted(wanted.roles), "prefix": secret.prefix}
    async with control.change(caller, "key.create", wanted.name, details) as rows:
        await _refuse_mightier(rows, caller, draft.roles)
        stored = await Keys(rows.session, rows.tenant_id).create(draft)
    return KeyCreated(key=secret.secret, **_shown(stored).model_dump())


async def list_keys(control: Control, caller: Caller) -> list[Key]:
    """Every key of the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(key) for key in await Keys(rows.session, rows.tenant_id).list()]


async def revoke_key(control: Control, caller: Caller, key_id: UUID) -> Key:
    """Revoke a key: refused from the next call on, in this process even before the snapshot.

    Raises:
        NotFound: the tenant has no such key.
    """

    def at_once() -> None:
        control.revocations.revoke(str(key_id))

    async with control.change(caller, "key.revoke", str(key_id), then=at_once) as rows:
        stored = await Keys(rows.session, rows.tenant_id).revoke(key_id)
    return _shown(stored)


async def _refuse_mightier(rows: Rows, caller: Caller, wanted: frozenset[str]) -> None:
    for role in await Roles(rows.session, rows.tenant_id).list():
        beyond = sorted(one for one in role.permissions if not caller.principal.may(one))
        if role.name in wanted and beyond:
            raise Forbidden(
                f"A key with the role {role.name} could do what yours may not: "
                f"{', '.join(beyond)}. Ask somebody who may.",
                details={"role": role.name, "permissions": beyond},
            )


def _shown(stored: StoredKey) -> Key:
    return Key(
        key_id=stored.id,
        name=stored.name,
        prefix=stored.prefix,
        roles=sorted(stored.roles),
        created_at=stored.created_at,
        created_by=stored.created_by,
        expires_at=stored.expires_at,
        revoked_at=stored.revoked_at,
    )
