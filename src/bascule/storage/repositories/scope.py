"""The scope of a repository: one session, one tenant. There is no other way to make one."""

from typing import NewType
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.storage.tenancy import keep_to

TenantId = NewType("TenantId", UUID)
"""A tenant's id as `Tenants` gives it out: not any UUID will do."""


class Scoped:
    """A view of one tenant's rows within one transaction; drop it with its session.

    The session is that tenant's from here on, and touches no other's rows: `storage.tenancy`.
    """

    def __init__(self, session: AsyncSession, tenant_id: TenantId) -> None:
        keep_to(session, tenant_id)
        self._session = session
        self._tenant_id = tenant_id
