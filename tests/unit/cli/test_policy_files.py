"""Policies are read from files of every form, and Rego is written to folders."""

import json
from pathlib import Path
from typing import Any

import pytest

from bascule.cli.failures import CommandFailed
from bascule.cli.policy_files import body_of, read_named, read_policies, write_rego

ONE = "name: one\ntype: deny_list\ntools: [x]\n"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        "- name: one\n  type: deny_list\n  tools: [x]\n",
        "policies:\n  - {name: one, type: deny_list, tools: [x]}\n",
        '{"name": "one", "type": "deny_list", "tools": ["x"]}',
        '{"policies": [{"name": "one", "type": "deny_list", "tools": ["x"]}]}',
    ],
)
def test_one_policy_or_many_are_read(tmp_path: Path, text: str) -> None:
    body = {"type": "deny_list", "tools": ["x"]}
    assert read_policies(written(tmp_path / "p.yaml", text)) == {"one": body}


def test_times_of_day_are_texts(tmp_path: Path) -> None:
    text = "{name: a, when: {windows: [{from: 18:00, to: 24:00}]}}"
    found = read_policies(written(tmp_path / "p.yaml", f"policies: [{text}]"))
    assert found["a"]["when"]["windows"] == [{"from": "18:00", "to": "24:00"}]


def test_what_the_api_shows_is_read_again(tmp_path: Path) -> None:
    shown: dict[str, Any] = {
        "name": "one",
        "type": "rego",
        "rego": {"digest": "d", "files": ["a.rego"], "modules": {"a.rego": "x"}, "data": {}},
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    body = {"type": "rego", "rego": {"modules": {"a.rego": "x"}, "data": {}}}
    assert body_of(shown) == body
    assert read_policies(written(tmp_path / "p.json", json.dumps(shown))) == {"one": body}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "p.yaml: The document is empty"),
        ("policies: []", "holds nothing"),
        ("just words", "holds nothing"),
        ("- type: deny_list", "number 1 has no name"),
        ("- name: a\n- 5", "number 2 has no name"),
        ("- name: a\n- name: a", "has a twice"),
        ("a: [", "p.yaml: "),
    ],
)
def test_a_file_without_policies_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(CommandFailed) as refused:
        read_policies(written(tmp_path / "p.yaml", text))
    assert why in refused.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"none\.yaml cannot be read: No such file"):
        read_named(str(tmp_path / "none.yaml"), "tests")


def test_a_folder_of_rego_is_one_policy_and_is_written_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "authz"
    folder.mkdir()
    written(folder / "authz.rego", "package bascule.authz\n")
    written(folder / "authz_test.rego", "package bascule.authz_test\n")
    written(folder / "data.json", '{"a": [1]}')
    (name, body), *others = read_policies(str(folder)).items()
    assert (name, others) == ("authz", [])
    paths = write_rego(tmp_path / "out", [{"name": name, **body}])
    assert sorted(Path(path).name for path in paths) == sorted(
        path.name for path in folder.iterdir()
    )
    assert read_policies(str(tmp_path / "out" / "authz")) == {"authz": body}


def test_a_folder_without_rego_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"There is no \.rego file in it"):
        read_policies(str(tmp_path))


@pytest.mark.parametrize("name", ["../x", "a/b", "50% off"])
def test_what_a_policy_is_called_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    policy = {"name": name, "rego": {"modules": {"a.rego": "x"}, "data": {}}}
    paths = write_rego(tmp_path / "out", [policy])
    assert {Path(path).parent.parent for path in paths} == {tmp_path / "out"}


def test_no_file_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    evil = {"name": "p", "rego": {"modules": {"../../a.rego": "x"}, "data": {}}}
    with pytest.raises(CommandFailed, match="outside"):
        write_rego(tmp_path / "out", [evil])
    assert not (tmp_path / "a.rego").exists()


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    policy = {"name": "p", "rego": {"modules": {"a.rego": "x"}, "data": {}}}
    with pytest.raises(CommandFailed, match="cannot be written"):
        write_rego(blocked, [policy])
