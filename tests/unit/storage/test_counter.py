"""Changes are counted, and say who made them."""

import pytest
from sqlalchemy import text

from bascule.storage.counter import author_of, count_change, current_version
from bascule.storage.database import Database
from bascule.storage.errors import SchemaMissing


async def test_each_change_raises_the_version_by_one_and_names_its_author(
    database: Database,
) -> None:
    seen: list[int] = []
    for author in ("asha", "ravi"):
        async with database.change(author=author) as session:
            seen.append(await current_version(session))
            assert author_of(session) == author
    async with database.read() as session:
        seen.append(await current_version(session))
        last = await session.scalar(text("SELECT changed_by FROM change_counter"))
    assert seen == [1, 2, 2]
    assert last == "ravi"


async def test_there_is_never_a_second_counter(database: Database) -> None:
    statement = "INSERT INTO change_counter SELECT 2, 0, changed_at, 'x' FROM change_counter"
    with pytest.raises(Exception, match="conflicts"):
        async with database.change(author="t") as session:
            await session.execute(text(statement))


async def test_a_lost_counter_is_an_error_and_not_a_zero(database: Database) -> None:
    async with database.migration() as connection:
        await connection.execute(text("DELETE FROM change_counter"))
    async with database.read() as session:
        with pytest.raises(SchemaMissing, match="no change counter"):
            await current_version(session)
    async with database.migration() as connection:
        pass
    with pytest.raises(SchemaMissing, match="no change counter"):
        async with database.change(author="t") as session:
            await count_change(session, "t")
