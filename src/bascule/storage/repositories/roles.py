"""Roles of one tenant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.identity_tables import CertificateRuleRow, GroupRolesRow, IssuerRow, UserRow
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import ApiKeyRow, PolicyRow, RoleRow

_MOST_NAMED: Final = 5
_MOST_TOLD: Final = 100


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions, such as `tools:execute`."""

    name: str
    description: str
    permissions: frozenset[str]
    created_at: datetime
    is_builtin: bool = False


class Roles(Scoped):
    """A tenant's roles."""

    async def create(
        self, name: str, description: str, permissions: Iterable[str], *, is_builtin: bool = False
    ) -> Role:
        """Add a role; one that comes with every tenant stays as it is.

        Raises:
            Conflict: the name is taken.
        """
        if await self._find(name) is not None:
            raise Conflict(f"A role named {name} exists already. Choose another name.")
        row = RoleRow(
            tenant_id=self._tenant_id,
            name=name,
            description=description,
            permissions=sorted(set(permissions)),
            is_builtin=is_builtin,
        )
        self._session.add(row)
        await self._session.flush()
        return _role(row)

    async def get(self, name: str) -> Role:
        """The role of that name.

        Raises:
            NotFound: there is none.
        """
        return _role(await self._row(name))

    async def list(self) -> tuple[Role, ...]:
        """Every role by name."""
        rows = await self._session.scalars(
            select(RoleRow).where(RoleRow.tenant_id == self._tenant_id).order_by(RoleRow.name)
        )
        return tuple(_role(row) for row in rows)

    async def check(self, wanted: Iterable[str]) -> None:
        """Pass where every role of `wanted` exists.

        Raises:
            InvalidValue: names those that do not, and those there are.
        """
        known = {role.name for role in await self.list()}
        unknown = sorted(set(wanted) - known)
        if unknown:
            guess = did_you_mean(unknown[0], known)
            raise InvalidValue(
                f"Unknown roles: {', '.join(unknown)}.{guess}",
                details={"field": "roles", "known": sorted(known)},
            )

    async def update(
        self, name: str, *, description: str | None, permissions: Iterable[str] | None
    ) -> Role:
        """Change what is not None about a role.

        Raises:
            NotFound: there is none of that name.
            Conflict: it comes with every tenant.
        """
        row = await self._own(name)
        if description is not None:
            row.description = description
        if permissions is not None:
            row.permissions = sorted(set(permissions))
        await self._session.flush()
        return _role(row)

    async def delete(self, name: str) -> Role:
        """Remove a role that nothing names; gives it as it was.

        Raises:
            NotFound: there is none of that name.
            Conflict: it comes with every tenant, or something names it.
        """
        row = await self._own(name)
        users = await self.uses(name)
        if users:
            more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
            raise Conflict(
                f"The role {name} is in use by {', '.join(users[:_MOST_NAMED])}{more}. "
                "Take it away from them first.",
                details={"used_by": users[:_MOST_TOLD]},
            )
        gone = _role(row)
        await self._session.delete(row)
        await self._session.flush()
        return gone

    async def uses(self, name: str) -> tuple[str, ...]:
        """What names a role: users, keys in force, groups, certificate rules, policies, issuers."""
        found: list[str] = []
        live = ApiKeyRow.revoked_at.is_(None)
        for noun, label, roles, where in (
            ("user", UserRow.name, UserRow.roles, UserRow.tenant_id),
            ("key", ApiKeyRow.name, ApiKeyRow.roles, ApiKeyRow.tenant_id),
            ("group", GroupRolesRow.group_name, GroupRolesRow.roles, GroupRolesRow.tenant_id),
            (
                "certificate rule",
                CertificateRuleRow.name,
                CertificateRuleRow.roles,
                CertificateRuleRow.tenant_id,
            ),
        ):
            rows = select(label, roles).where(where == self._tenant_id).order_by(label)
            rows = rows.where(live) if noun == "key" else rows
            named = await self._session.execute(rows)
            found += [f"{noun} {one}" for one, held in named if name in held]
        policies = await self._session.execute(
            select(PolicyRow.name, PolicyRow.rules)
            .where(PolicyRow.tenant_id == self._tenant_id)
            .order_by(PolicyRow.name)
        )
        found += [f"policy {one}" for one, rules in policies if name in rules.get("roles", ())]
        issuers = await self._session.execute(
            select(IssuerRow.name, IssuerRow.document)
            .where(IssuerRow.tenant_id == self._tenant_id)
            .order_by(IssuerRow.name)
        )
        found += [f"issuer {one}" for one, document in issuers if name in _brought_by(document)]
        return tuple(found)

    async def _own(self, name: str) -> RoleRow:
        row = await self._row(name)
        if row.is_builtin:
            raise Conflict(
                f"{name} is a built-in role, the same in every tenant. Make a role of your own."
            )
        return row

    async def _row(self, name: str) -> RoleRow:
        row = await self._find(name)
        if row is None:
            guess = did_you_mean(name, [role.name for role in await self.list()])
            raise NotFound(f"There is no role named {name}.{guess}", details={"field": "role"})
        return row

    async def _find(self, name: str) -> RoleRow | None:
        return (
            await self._session.scalars(
                select(RoleRow).where(RoleRow.tenant_id == self._tenant_id, RoleRow.name == name)
            )
        ).one_or_none()


def _brought_by(issuer: Mapping[str, Any]) -> set[str]:
    """The roles in the document of an issuer, which leads to this tenant first of all."""
    mapped: Mapping[str, Iterable[str]] = issuer.get("role_map") or {}
    return {
        *(issuer.get("default_roles") or ()),
        *(one for roles in mapped.values() for one in roles),
    }


def _role(row: RoleRow) -> Role:
    return Role(
        row.name, row.description, frozenset(row.permissions), row.created_at, row.is_builtin
    )
