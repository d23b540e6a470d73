"""The change counter: the number of a snapshot, and the queue in which changes wait."""

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.storage.errors import SchemaMissing
from bascule.storage.tables import ChangeCounterRow
from bascule.storage.types import utc_now

_AUTHOR: Final = "author"
_NO_COUNTER: Final = (
    "The database has no change counter. Restart Bascule: it brings the tables up to date "
    "as it starts; if that does not help, restore a backup."
)


async def count_change(session: AsyncSession, author: str) -> int:
    """Raise the counter for this transaction; the others wait here until it ends."""
    session.info[_AUTHOR] = author
    statement = (
        update(ChangeCounterRow)
        .values(version=ChangeCounterRow.version + 1, changed_at=utc_now(), changed_by=author)
        .returning(ChangeCounterRow.version)
        .execution_options(synchronize_session=False)
    )
    version = (await session.execute(statement)).scalar_one_or_none()
    if version is None:
        raise SchemaMissing(_NO_COUNTER)
    return version


async def current_version(session: AsyncSession) -> int:
    """The number of changes committed so far (or, in a change, this one's own number)."""
    version = (await session.execute(select(ChangeCounterRow.version))).scalar_one_or_none()
    if version is None:
        raise SchemaMissing(_NO_COUNTER)
    return version


def author_of(session: AsyncSession) -> str:
    """Who makes the change this session belongs to."""
    return str(session.info[_AUTHOR])
