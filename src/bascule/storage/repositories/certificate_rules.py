"""Which client certificates belong to one tenant."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.gateway.issuer import CertificateRule
from bascule.storage.counter import author_of
from bascule.storage.identity_tables import CertificateRuleRow
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.types import utc_now


@dataclass(frozen=True, slots=True)
class StoredCertificateRule:
    """A rule as it is kept: `bascule.gateway.issuer.CertificateRule` says what its fields mean."""

    name: str
    pattern: str
    issuer: str
    roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    updated_by: str


class CertificateRules(Scoped):
    """The rules whose certificates are of this tenant. Over all tenants the first by name fits."""

    async def put(self, rule: CertificateRule) -> StoredCertificateRule:
        """Add a rule, or make the one of that name like it; its `tenant` is not looked at.

        Raises:
            InvalidValue: no role is named, or one does not exist.
        """
        if not rule.roles:
            raise InvalidValue("A certificate rule needs a role.", details={"field": "roles"})
        await Roles(self._session, self._tenant_id).check(rule.roles)
        row = await self._find(rule.name)
        if row is None:
            row = CertificateRuleRow(tenant_id=self._tenant_id, name=rule.name)
            self._session.add(row)
        row.pattern, row.issuer = rule.pattern, rule.issuer
        row.roles = sorted(set(rule.roles))
        row.updated_by = author_of(self._session)
        row.updated_at = utc_now()
        await self._session.flush()
        return _stored(row)

    async def find(self, name: str) -> StoredCertificateRule | None:
        """The rule of that name, if there is one."""
        row = await self._find(name)
        return None if row is None else _stored(row)

    async def list(self) -> tuple[StoredCertificateRule, ...]:
        """Every rule by name."""
        rows = await self._session.scalars(
            select(CertificateRuleRow)
            .where(CertificateRuleRow.tenant_id == self._tenant_id)
            .order_by(CertificateRuleRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> StoredCertificateRule:
        """Remove a rule; gives it as it was.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._find(name)
        if row is None:
            guess = did_you_mean(name, [one.name for one in await self.list()])
            raise NotFound(
                f"There is no certificate rule named {name}.{guess}", details={"field": "name"}
            )
        gone = _stored(row)
        await self._session.delete(row)
        await self._session.flush()
        return gone

    async def _find(self, name: str) -> CertificateRuleRow | None:
        return (
            await self._session.scalars(
                select(CertificateRuleRow).where(
                    CertificateRuleRow.tenant_id == self._tenant_id,
                    CertificateRuleRow.name == name,
                )
            )
        ).one_or_none()


def _stored(row: CertificateRuleRow) -> StoredCertificateRule:
    return StoredCertificateRule(
        row.name,
        row.pattern,
        row.issuer,
        tuple(row.roles),
        row.created_at,
        row.updated_at,
        row.updated_by,
    )
