from pathlib import Path

import pytest

from bascule.cli.connectors import read_connector, with_changes
from bascule.cli.failures import CommandFailed


def test_what_is_given_goes_over_what_is_there() -> None:
    before = {"mode": "live", "tls": None, "credentials": {"client_id": "a", "scope": "s"}}
    changes = {"mode": None, "credentials": {"client_id": "b", "scope": None},
               "tls": {"key": "k"}, "networks": []}  # fmt: skip
    assert with_changes(before, changes) == {
        "mode": "live", "tls": {"key": "k"}, "credentials": {"client_id": "b", "scope": "s"},
        "networks": [],
    }  # fmt: skip
    assert before["tls"] is None


def test_where_nothing_is_given_there_is_no_change() -> None:
    assert with_changes({"mode": "live"}, {"mode": None, "tls": {"key": None}}) is None


@pytest.mark.parametrize(
    ("name", "text", "members"),
    [
        ("a.json", '{"mode": "mock"}', {"mode": "mock"}),
        ("a.yaml", "mode: mock", {"mode": "mock"}),
    ],
)
def test_a_connector_is_read_from_either_form(tmp_path: Path, name, text, members) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert read_connector(file) == members


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", b"{"), ("a.yaml", b"a: ["), ("a.yaml", b"- a"), ("a.yaml", b"\xff"),
     ("a.json", b"[1]"), ("a.json", b"[" * 100_000), ("a.yaml", b"")],
)  # fmt: skip
def test_what_is_no_connector_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CommandFailed, match=str(file)):
        read_connector(file)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="No such file"):
        read_connector(tmp_path / "none.yaml")
