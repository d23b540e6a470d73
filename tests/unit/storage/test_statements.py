"""What a statement touches is read from its text, however it is written."""

import pytest

from bascule.storage.statements import OWNED, Touched, touched_by, touched_by_text
from bascule.storage.tables import Base

KEPT = "+tools.tenant_id = ?"


def test_every_table_with_a_tenant_is_known() -> None:
    others = {"alembic_version", "change_counter", "tenants"}
    assert {*Base.metadata.tables} - others == OWNED


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT version FROM change_counter",
        "SELECT tenants.name AS tools FROM tenants",
        "SELECT 'FROM tools' FROM tenants",
        "SELECT 1 -- FROM tools",
        "SELECT 1 /* FROM tools */ FROM tenants",
        "UPDATE change_counter SET version=(change_counter.version + ?)",
        "SELECT tenants.roles FROM tenants",
    ],
)
def test_what_touches_no_row_of_a_tenant_is_nobodys_business(sql: str) -> None:
    assert touched_by(sql) == Touched()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT tools.name FROM tools WHERE KEPT",
        "SELECT tools.name FROM tools WHERE CASE WHEN (tools.tenant_id = $1::UUID) THEN true END",
        "UPDATE tools SET status=? WHERE KEPT RETURNING id",
        "DELETE FROM tools WHERE tools.id = ? AND KEPT",
        "SELECT t.name FROM tools AS t WHERE +t.tenant_id = ?",
        "SELECT t.name FROM tools t WHERE +t.tenant_id = ?",
        'SELECT "T".name FROM "tools" AS "T" WHERE +"T".tenant_id = ?',
        "SELECT T.name FROM TOOLS AS T WHERE +T.Tenant_Id = ?",
        "SELECT 1 FROM tenants, tools WHERE KEPT",
        "SELECT 1 FROM (SELECT tools.id FROM tools WHERE KEPT) AS a, tools WHERE KEPT",
        "SELECT 1 FROM tools WHERE KEPT AND id IN (SELECT tools.id FROM tools WHERE KEPT)",
        "SELECT 1 FROM tools CROSS JOIN roles ON +roles.tenant_id = ? WHERE KEPT",
        (
            "SELECT 1 FROM tool_text JOIN tool_index ON tool_index.number = tool_text.rowid WHERE "
            "tool_text.tool_text MATCH ? AND +tool_index.tenant_id = ?"
        ),
    ],
)
def test_a_table_whose_tenant_is_named_is_kept_to_it(sql: str) -> None:
    touched = touched_by(sql.replace("KEPT", KEPT))
    assert touched.tables
    assert touched.loose == ()


@pytest.mark.parametrize(
    ("sql", "loose"),
    [
        ("SELECT name FROM tools", "tools"),
        ("SELECT name FROM main.tools", "tools"),
        ("TABLE tools", "tools"),
        ("TRUNCATE tools", "tools"),
        ("DROP TABLE IF EXISTS tools", "tools"),
        ("COPY tools TO STDOUT", "to"),
        ("SELECT 1 FROM LATERAL (SELECT 1 FROM ONLY tools) AS x", "tools"),
        ("SELECT name FROM tools WHERE tools.tenant_id = ?", "tools"),
        ("SELECT name FROM tools WHERE +tools.tenant_id = tools.tenant_id", "tools"),
        ("SELECT name FROM tools WHERE +tools.tenant_id != ?", "tools"),
        ("SELECT name FROM tools WHERE tenant_id = ?", "tools"),
        ("UPDATE tools SET status=?", "tools"),
        ("DELETE FROM tools", "tools"),
        ("DELETE FROM tools USING roles WHERE KEPT", "roles"),
        ("SELECT 1 FROM tools, roles WHERE KEPT", "roles"),
        ("SELECT 1 FROM tools LEFT OUTER JOIN roles ON roles.id = tools.id WHERE KEPT", "roles"),
        ("SELECT 1 FROM tools JOIN tools AS b ON b.id = tools.id WHERE KEPT", "b"),
        ("SELECT 1 FROM tools WHERE KEPT AND id IN (SELECT tools.id FROM tools)", "tools"),
        ("SELECT (SELECT name FROM secrets) FROM tools WHERE KEPT", "secrets"),
        ("SELECT * FROM tool_text", "tool_text"),
        (
            "SELECT 1 FROM tool_text JOIN tool_index ON tool_index.number = tool_text.rowid",
            "tool_text",
        ),
    ],
)
def test_a_table_whose_tenant_is_not_named_is_told(sql: str, loose: str) -> None:
    assert loose in touched_by(sql.replace("KEPT", KEPT)).loose


def test_only_a_parameter_of_that_name_says_whose_a_written_text_is() -> None:
    text = "SELECT 1 FROM tools WHERE tools.tenant_id = {}"
    assert touched_by_text(text.format(":tenant_id")).loose == ()
    for other in (":tenant", ":x", "'1'", "?"):
        assert touched_by_text(text.format(other)).loose == ("tools",)


@pytest.mark.parametrize(
    ("rest", "is_merging"),
    [
        ("", False),
        (" RETURNING id", False),
        (" ON CONFLICT DO NOTHING", False),
        (" ON CONFLICT (tenant_id, name) DO UPDATE SET name = excluded.name", False),
        (" ON CONFLICT (name) DO UPDATE SET name = excluded.name", True),
        (" ON CONFLICT DO UPDATE SET name = excluded.name", True),
    ],
)
def test_a_row_that_may_alter_another_is_told(rest: str, is_merging: bool) -> None:
    touched = touched_by(f"INSERT INTO roles (tenant_id, roles) VALUES (?, ?){rest}")  # noqa: S608 - it does not run
    assert touched == Touched(frozenset({"roles"}), (), ("roles",), is_merging)


def test_a_row_put_in_place_of_whatever_is_there_may_alter_another() -> None:
    assert touched_by("INSERT OR REPLACE INTO roles (name) VALUES (?)").is_merging
    assert touched_by("REPLACE INTO roles (name) VALUES (?)").is_merging


def test_what_an_insert_selects_is_looked_at_as_well() -> None:
    assert touched_by("INSERT INTO tenants (id) SELECT id FROM tools").loose == ("tools",)
