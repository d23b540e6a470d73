"""Keys that an instance makes for itself and its owner, kept beside the data they open."""

import secrets
from pathlib import Path
from typing import Final

from bascule.app.private import read_secret, write_secret
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.snapshot import Snapshot
from bascule.identity.api_keys import digest_of, new_key
from bascule.storage.database import Database
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.tenants import Tenants

TENANT: Final = "default"
_KEY_BYTES: Final = 32


class KeyUnusable(GatewayError):
    """A key file was changed by somebody; the message says what to do."""

    error = ErrorCode.UNAVAILABLE


async def ensure_key(
    database: Database, snapshot: Snapshot, path: Path, name: str, roles: frozenset[str]
) -> str:
    """The secret in `path` if `snapshot` knows it, else that of a new key, written there.

    Stable over restarts, so that clients configured once stay connected. The file is readable
    by its owner only. The new key is in force with the next snapshot.
    """
    secret = read_secret(path)
    if secret is not None and digest_of(secret) in snapshot.keys:
        return secret
    made = new_key()
    async with database.change(author="bascule up") as session:
        tenant = await Tenants(session).get(TENANT)
        keys = Keys(session, tenant.id)
        for known in await keys.list():
            if known.name == name and known.revoked_at is None:
                await keys.revoke(known.id)
        await keys.create(KeyDraft(name, made.digest, made.prefix, roles))
    write_secret(path, made.secret)
    return made.secret


def ensure_digest_key(path: Path) -> bytes:
    """The key under which records digest what passed; made once, 256 random bits.

    Raises:
        KeyUnusable: the file holds something else.
        OSError: the file can be neither read nor made.
    """
    return _ensure_random_key(path)


def ensure_sealing_key(path: Path) -> bytes:
    """The key under which handles are sealed; made once, 256 random bits.

    Who loses the file ends every session and breaks every other handle given out, no more.

    Raises:
        KeyUnusable: the file holds something else.
        OSError: the file can be neither read nor made.
    """
    return _ensure_random_key(path)


def ensure_secret_key(path: Path) -> bytes:
    """The key under which secrets of tenants are kept; made once, 256 random bits.

    Who loses the file must set every secret again, so one that is there is never replaced.

    Raises:
        KeyUnusable: the file holds something else, or this user may not read it.
        OSError: the file can be neither read nor made.
    """
    if path.exists() and not read_secret(path):
        raise KeyUnusable(
            f"{path} holds the key to the stored secrets, but is empty or not readable by this "
            "user. Restore it, or its permissions; without it each secret must be set again."
        )
    return _ensure_random_key(path)


def _ensure_random_key(path: Path) -> bytes:
    known = read_secret(path)
    if known is not None:
        return _parsed(known, path)
    made = secrets.token_bytes(_KEY_BYTES)
    write_secret(path, made.hex())
    return made


def _parsed(text: str, path: Path) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise KeyUnusable(
            f"{path} does not hold a key of {2 * _KEY_BYTES} hexadecimal digits. Restore it, or "
            "delete it and a new key is made."
        )
    return key
