"""Keys that `bascule up` makes for its own owner, kept beside the data they open."""

import os
import secrets
from pathlib import Path
from typing import Final

from bascule.gateway.snapshot import Snapshot
from bascule.identity.api_keys import digest_of, new_key
from bascule.storage.database import Database
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.tenants import Tenants

TENANT: Final = "default"


async def ensure_key(
    database: Database, snapshot: Snapshot, path: Path, name: str, roles: frozenset[str]
) -> str:
    """The secret in `path` if `snapshot` knows it, else that of a new key, written there.

    Stable over restarts, so that clients configured once stay connected. The file is readable
    by its owner only. The new key is in force with the next snapshot.
    """
    secret = _read(path)
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
    _write(path, made.secret)
    return made.secret


def ensure_digest_key(path: Path) -> bytes:
    """The key under which records digest what passed; made once, 256 random bits.

    Raises:
        OSError: the file can be neither read nor made.
    """
    known = _read(path)
    if known is not None:
        return bytes.fromhex(known)
    made = secrets.token_bytes(32)
    _write(path, made.hex())
    return made


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except OSError:
        return None


def _write(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
