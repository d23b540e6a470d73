"""The scope of a repository: one session, one tenant. There is no other way to make one."""

from typing import NewType
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

TenantId = NewType("TenantId", UUID)
"""A tenant's id as `Tenants` gives it out: not any UUID will do."""


class Scoped:
    """A view of one tenant's rows within one transaction; drop it with its session."""

    def __init__(self, session: AsyncSession, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id
