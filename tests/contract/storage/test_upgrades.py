"""What a database holds outlives an upgrade, and a way back as far as it fits."""

import gzip
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from bascule.storage.database import Database
from bascule.storage.schema import downgrade, migrate

_MOMENT = "2026-01-01 00:00:00+00:00"


async def _run(database: Database, statement: str, **values: Any) -> list[Any]:
    async with database.migration() as connection:
        result = await connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


async def _fill(database: Database) -> dict[str, str]:
    """A tenant with a live tool, out of a document."""
    ids = {name: uuid4().hex for name in ("tenant", "bundle", "upstream", "spec", "tool")}
    owned = {"tenant_id": ids["tenant"]}
    now = {"created_at": _MOMENT, "updated_at": _MOMENT}
    inserted = (
        ("tenants", {"id": ids["tenant"], "name": "t", "description": "", "is_active": True,
                     **now}),
        ("tool_bundles", {"id": ids["bundle"], **owned, "name": "b", "description": "",
                          "version": "1", "owner": "", "status": "active", **now}),
        ("upstreams", {"id": ids["upstream"], **owned, "name": "b.api", "kind": "rest",
                       "url": "http://a", "command": "[]", "headers": "[]",
                       "connect_timeout_seconds": 0, "timeout_seconds": 0, **now}),
        ("openapi_specs", {"id": ids["spec"], **owned, "name": "API", "version": "1",
                           "content": '{"ü": 1}', "content_hash": "h", "uploaded_by": "asha",
                           "uploaded_at": _MOMENT, "bundle_id": ids["bundle"]}),
        ("tools", {"id": ids["tool"], **owned, "name": "look", "description": "",
                   "version": "1.0.0", "bundle_id": ids["bundle"], "upstream_id": ids["upstream"],
                   "spec_id": ids["spec"], "source": "{}", "input_schema": "{}",
                   "risk_level": "read", "status": "active", "tags": "[]", "examples": "[]",
                   "idempotent": False, "created_by": "asha", **now}),
    )  # fmt: skip
    for table, values in inserted:
        await _write(database, table, values)
    return ids


async def _write(database: Database, table: str, values: dict[str, Any]) -> None:
    """Values as SQL texts, which both engines cast alike."""
    shown = ", ".join(
        str(value).upper() if isinstance(value, bool)
        else str(value) if isinstance(value, int)
        else f"'{value}'"
        for value in values.values()
    )  # fmt: skip
    columns, escaped = ", ".join(values), shown.replace(":", "\\:")
    await _run(database, f"INSERT INTO {table} ({columns}) VALUES ({escaped})")  # noqa: S608 - ours


async def test_documents_outlive_the_way_up_and_the_way_down(empty_database: Database) -> None:
    database = empty_database
    await migrate(database, "0001")
    await _fill(database)
    await migrate(database, "0002")
    ((document, status, upstream, url),) = await _run(
        database, "SELECT document, status, upstream, base_url FROM openapi_specs"
    )
    assert gzip.decompress(document).decode() == '{"ü": 1}'
    assert (status, upstream, url) == ("published", "b.api", "http://a")
    held = "SELECT COUNT(*) FROM tools JOIN openapi_specs ON tools.spec_id = openapi_specs.id"
    assert await _run(database, held) == [(1,)]
    await downgrade(database, "0001")
    assert await _run(database, "SELECT name, content FROM openapi_specs") == [("API", '{"ü": 1}')]
    assert await _run(database, held) == [(1,)]
    await migrate(database, "0002")
    assert await _run(database, held) == [(1,)]
