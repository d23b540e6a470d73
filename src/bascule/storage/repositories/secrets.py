"""Secrets of one tenant, encrypted: this room has no key."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bascule.gateway.errors import NotFound
from bascule.gateway.secrets import SealedSecret
from bascule.storage.counter import author_of
from bascule.storage.repositories.scope import Scoped
from bascule.storage.secret_tables import SecretRow


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret and what the database adds to it."""

    sealed: SealedSecret
    created_at: datetime
    updated_at: datetime
    updated_by: str


class Secrets(Scoped):
    """A tenant's secrets."""

    async def put(self, sealed: SealedSecret) -> StoredSecret:
        """Add the secret, or make it the next version of the one of that name."""
        row = await self._find(sealed.name)
        if row is None:
            row = SecretRow(tenant_id=self._tenant_id, name=sealed.name, version=0)
            self._session.add(row)
        row.version += 1
        self._fill(row, sealed)
        await self._session.flush()
        return _stored(row)

    async def replace(self, sealed: SealedSecret) -> None:
        """Keep the same secret in another encryption; it stays the same version.

        Raises:
            NotFound: there is none of that name.
        """
        self._fill(await self._row(sealed.name), sealed)
        await self._session.flush()

    async def list(self) -> tuple[StoredSecret, ...]:
        """Every secret by name."""
        rows = await self._session.scalars(
            select(SecretRow).where(SecretRow.tenant_id == self._tenant_id).order_by(SecretRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> None:
        """Remove a secret for good.

        Raises:
            NotFound: there is none of that name.
        """
        await self._session.delete(await self._row(name))
        await self._session.flush()

    def _fill(self, row: SecretRow, sealed: SealedSecret) -> None:
        row.nonce, row.ciphertext, row.key_id = sealed.nonce, sealed.ciphertext, sealed.key_id
        row.updated_by = author_of(self._session)

    async def _row(self, name: str) -> SecretRow:
        row = await self._find(name)
        if row is None:
            raise NotFound(f"There is no secret named {name}.")
        return row

    async def _find(self, name: str) -> SecretRow | None:
        return (
            await self._session.scalars(
                select(SecretRow).where(
                    SecretRow.tenant_id == self._tenant_id, SecretRow.name == name
                )
            )
        ).one_or_none()


def sealed_from(row: SecretRow) -> SealedSecret:
    """The secret in `row`."""
    return SealedSecret(row.name, row.nonce, row.ciphertext, row.key_id, row.version)


def _stored(row: SecretRow) -> StoredSecret:
    return StoredSecret(sealed_from(row), row.created_at, row.updated_at, row.updated_by)
