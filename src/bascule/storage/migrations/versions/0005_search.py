"""What tools are listed, searched and compiled by: narrow copies of their rows, kept by triggers.

Revision 0005, after 0004.
"""

# Statements are put together from the names below, and from nothing that came from outside.
# ruff: noqa: S608

import sqlalchemy as sa
import structlog
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_log = structlog.get_logger(__name__)

_COLUMNS = (
    "tool_id, tenant_id, bundle_id, name, version, status, risk_level, domain, owner, "
    "revision, search_name, search_text"
)
_TAG_COLUMNS = "tool_id, tag, tenant_id, name, version"
_COUNTER = "(SELECT version FROM change_counter)"
# Of tools that were there before their changes were counted.
_OLD = "0"
# A tag of any length can be stored, but not indexed.
_TAG_CHARACTERS = 200


def upgrade() -> None:
    """Make the copies from the tools there are, and the triggers that keep them."""
    _create_index()
    _create_tags()
    if op.get_context().dialect.name == "postgresql":
        _keep_on_postgresql()
        _fill_on_postgresql()
        _index_text_on_postgresql()
        # Until the server gets to it by itself, it would plan as if the tables were empty.
        for table in ("tool_index", "tool_tags"):
            op.execute(f"ANALYZE {table}")
    else:
        _keep_on_sqlite()
        _fill_on_sqlite()
        _index_text_on_sqlite()


def downgrade() -> None:
    """Drop all of it; the tools themselves stay as they are."""
    if op.get_context().dialect.name == "postgresql":
        # The extension stays: something else may have come to need it.
        op.execute("DROP TRIGGER tool_indexed ON tools")
        op.execute("DROP FUNCTION index_tool()")
    else:
        for event in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER tool_{event}")
        # Its triggers are of `tool_index`, and go with it.
        op.execute("DROP TABLE IF EXISTS tool_text")
    op.drop_table("tool_tags")
    op.drop_table("tool_index")


def _create_index() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    prose = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "tool_index",
        sa.Column("number", number, nullable=False, autoincrement=True),
        sa.Column("tool_id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("bundle_id", sa.Uuid, nullable=False),
        sa.Column("name", _name(), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("risk_level", sa.String(20), nullable=False),
        sa.Column("domain", sa.String(100)),
        sa.Column("owner", sa.String(100)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("search_name", _name(), nullable=False),
        sa.Column("search_text", prose, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tool_index")),
        sa.UniqueConstraint("tool_id", name=op.f("uq_tool_index_tool_id")),
    )
    listing = ("name", "version", "search_name", "bundle_id", "status", "risk_level")
    op.create_index(
        "ix_tool_index_listing", "tool_index", ["tenant_id", *listing, "domain", "owner", "tool_id"]
    )
    op.create_index(
        op.f("ix_tool_index_tenant_id_search_name"), "tool_index", ["tenant_id", "search_name"]
    )
    op.create_index(op.f("ix_tool_index_revision"), "tool_index", ["revision"])


def _create_tags() -> None:
    op.create_table(
        "tool_tags",
        sa.Column("tool_id", sa.Uuid, nullable=False),
        sa.Column("tag", sa.String(_TAG_CHARACTERS), nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("name", _name(), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.PrimaryKeyConstraint("tool_id", "tag", name=op.f("pk_tool_tags")),
    )
    columns = ["tenant_id", "tag", "name", "version", "tool_id"]
    op.create_index("ix_tool_tags_listing", "tool_tags", columns)


def _name() -> sa.String:
    # Sorted by code point on both engines.
    return sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")


def _values(row: str, lower_name: str, lower_text: str) -> str:
    """The columns of `tool_index` out of a row of `tools`."""
    own = ("id", "tenant_id", "bundle_id", "name", "version", "status", "risk_level")
    named = ", ".join(f"{row}.{column}" for column in (*own, "domain", "owner"))
    revision = _OLD if row == "tools" else _COUNTER
    return f"{named}, {revision}, {lower_name}, {lower_text}"


def _sqlite_values(row: str) -> str:
    return _values(
        row,
        f"lower({row}.name)",
        f"lower({row}.name || char(10) || coalesce({row}.title, '') || char(10) "
        f"|| {row}.description)",
    )


def _sqlite_tags(row: str) -> str:
    return (
        "SELECT DISTINCT {row}.id, substr(each.value, 1, {most}), {row}.tenant_id, "
        "{row}.name, {row}.version "
        "FROM {source}json_each(CASE WHEN json_valid({row}.tags) THEN {row}.tags ELSE '[]' END) "
        "AS each WHERE each.type = 'text'"
    ).format(row=row, most=_TAG_CHARACTERS, source="tools, " if row == "tools" else "")


def _keep_on_sqlite() -> None:
    tags = f"INSERT INTO tool_tags ({_TAG_COLUMNS})"
    op.execute(
        "CREATE TRIGGER tool_inserted AFTER INSERT ON tools BEGIN "
        f"INSERT INTO tool_index ({_COLUMNS}) SELECT {_sqlite_values('NEW')}; "
        f"{tags} {_sqlite_tags('NEW')}; END"
    )
    op.execute(
        "CREATE TRIGGER tool_updated AFTER UPDATE ON tools BEGIN "
        f"UPDATE tool_index SET ({_COLUMNS}) = (SELECT {_sqlite_values('NEW')}) "
        "WHERE tool_id = OLD.id; "
        "DELETE FROM tool_tags WHERE tool_id = OLD.id; "
        f"{tags} {_sqlite_tags('NEW')}; END"
    )
    op.execute(
        "CREATE TRIGGER tool_deleted AFTER DELETE ON tools BEGIN "
        "DELETE FROM tool_index WHERE tool_id = OLD.id; "
        "DELETE FROM tool_tags WHERE tool_id = OLD.id; END"
    )


def _fill_on_sqlite() -> None:
    op.execute(f"INSERT INTO tool_index ({_COLUMNS}) SELECT {_sqlite_values('tools')} FROM tools")
    op.execute(f"INSERT INTO tool_tags ({_TAG_COLUMNS}) {_sqlite_tags('tools')}")


def _index_text_on_sqlite() -> None:
    """Where this SQLite cannot, searches go through all texts one by one."""
    scalar = op.get_bind().exec_driver_sql
    has_fts5 = scalar("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'").scalar_one()
    version = str(scalar("SELECT sqlite_version()").scalar_one())
    # The tokenizer for parts of words came with 3.34 (sqlite.org/releaselog/3_34_0.html).
    if not has_fts5 or tuple(int(part) for part in version.split(".")[:2]) < (3, 34):
        _log.warning("schema.no_search_index", reason=f"SQLite {version} lacks FTS5 trigrams")
        return
    op.execute(
        "CREATE VIRTUAL TABLE tool_text USING fts5(search_text, content='tool_index', "
        "content_rowid='number', tokenize='trigram')"
    )
    op.execute("INSERT INTO tool_text (tool_text) VALUES ('rebuild')")
    add = "INSERT INTO tool_text (rowid, search_text) VALUES (NEW.number, NEW.search_text);"
    drop = (
        "INSERT INTO tool_text (tool_text, rowid, search_text) "
        "VALUES ('delete', OLD.number, OLD.search_text);"
    )
    on = "ON tool_index"
    op.execute(f"CREATE TRIGGER tool_text_inserted AFTER INSERT {on} BEGIN {add} END")
    op.execute(f"CREATE TRIGGER tool_text_deleted AFTER DELETE {on} BEGIN {drop} END")
    op.execute(
        f"CREATE TRIGGER tool_text_updated AFTER UPDATE OF search_text {on} "
        f"WHEN OLD.search_text <> NEW.search_text BEGIN {drop} {add} END"
    )


def _postgresql_values(row: str) -> str:
    # Names sort by code point ("C"), where only ASCII has small letters.
    name = f'lower({row}.name COLLATE "default")'
    text = f"{row}.description"
    return _values(
        row,
        name,
        f"{name} || chr(10) || lower(coalesce({row}.title, '')) || chr(10) || lower({text})",
    )


def _postgresql_tags(row: str) -> str:
    return (
        "SELECT DISTINCT {row}.id, left(each.value #>> '{{}}', {most}), {row}.tenant_id, "
        "{row}.name, {row}.version "
        "FROM {source}jsonb_array_elements("
        "CASE jsonb_typeof({row}.tags) WHEN 'array' THEN {row}.tags ELSE '[]' END) AS each "
        "WHERE jsonb_typeof(each.value) = 'string'"
    ).format(row=row, most=_TAG_CHARACTERS, source="tools, " if row == "tools" else "")


def _keep_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION index_tool() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP <> 'INSERT' THEN DELETE FROM tool_tags WHERE tool_id = OLD.id; END IF; "
        "IF TG_OP = 'DELETE' THEN "
        "DELETE FROM tool_index WHERE tool_id = OLD.id; RETURN OLD; END IF; "
        "IF TG_OP = 'INSERT' THEN "
        f"INSERT INTO tool_index ({_COLUMNS}) SELECT {_postgresql_values('NEW')}; "
        "ELSE "
        f"UPDATE tool_index SET ({_COLUMNS}) = (SELECT {_postgresql_values('NEW')}) "
        "WHERE tool_id = OLD.id; "
        "END IF; "
        f"INSERT INTO tool_tags ({_TAG_COLUMNS}) {_postgresql_tags('NEW')}; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER tool_indexed AFTER INSERT OR UPDATE OR DELETE ON tools "
        "FOR EACH ROW EXECUTE FUNCTION index_tool()"
    )


def _fill_on_postgresql() -> None:
    values = _postgresql_values("tools")
    op.execute(f"INSERT INTO tool_index ({_COLUMNS}) SELECT {values} FROM tools")
    op.execute(f"INSERT INTO tool_tags ({_TAG_COLUMNS}) {_postgresql_tags('tools')}")


def _index_text_on_postgresql() -> None:
    """Where the extension cannot be had, searches go through all texts one by one."""
    execute = op.get_bind().exec_driver_sql
    installed = "SELECT quote_ident(extnamespace::regnamespace::text) FROM pg_extension"
    found = f"{installed} WHERE extname = 'pg_trgm'"
    if execute(found).scalar_one_or_none() is None:
        may = execute(
            "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm' "
            "AND has_database_privilege(current_database(), 'CREATE')"
        ).scalar_one()
        if not may:
            _log.warning("schema.no_search_index", reason="the extension pg_trgm is not available")
            return
        execute("CREATE EXTENSION pg_trgm")
    schema = execute(found).scalar_one()
    execute(
        "CREATE INDEX ix_tool_index_text ON tool_index "
        f"USING gin (search_text {schema}.gin_trgm_ops)"
    )
