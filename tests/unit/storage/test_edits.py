from dataclasses import fields, replace

from bascule.gateway.tool import RiskLevel, Tool
from bascule.storage.edits import EDITABLE, carry_edits, column_of, keep_edits
from bascule.storage.tables import ToolRow
from fakes.catalogue import make_tool


def test_every_editable_field_is_one_of_a_tool_and_has_a_column() -> None:
    assert set(EDITABLE) <= {one.name for one in fields(Tool)}
    assert {column_of(field) for field in EDITABLE} <= set(ToolRow.__table__.columns.keys())


def test_what_was_edited_survives_an_import_and_nothing_else() -> None:
    before = replace(make_tool(risk=RiskLevel.READ), owner="crm", description="Ours.")
    anew = replace(make_tool(risk=RiskLevel.WRITE), description="Theirs.", tags=("new",))
    kept = keep_edits(anew, ("owner", "risk"), before)
    assert (kept.owner, kept.risk, kept.description, kept.tags) == (
        "crm", RiskLevel.READ, "Theirs.", ("new",),
    )  # fmt: skip
    assert keep_edits(anew, (), before) is anew
    assert keep_edits(anew, ("source",), before) is anew, "only what can be edited"


def test_edits_go_on_to_the_next_version() -> None:
    before = ToolRow(owner="crm", risk_level="read", domain="a", edited=["owner", "risk"])
    row = ToolRow(owner=None, risk_level="write", domain="b", edited=[])
    carry_edits(row, before)
    assert (row.owner, row.risk_level, row.domain, row.edited) == (
        "crm", "read", "b", ["owner", "risk"],
    )  # fmt: skip
