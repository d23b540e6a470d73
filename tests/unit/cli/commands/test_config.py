import json
from pathlib import Path

import pytest
import yaml

from bascule.settings.inventory import inventory
from fakes.certificates import Authority
from unit.cli.shell import run


def shown(data: Path, **environ: str) -> dict[str, dict[str, object]]:
    rows = run("config", "show", "--data", data, "-o", "json", environ=environ).value
    return {row["key"]: row for row in rows}


def test_every_setting_is_shown_with_its_value_and_source(tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text("server:\n  port: 9000\n")
    rows = shown(tmp_path, BASCULE_SERVER__WORKERS="1")
    assert rows.keys() == inventory().keys()
    assert (rows["server.port"]["value"], rows["server.port"]["source"]) == (9000, "bascule.yaml:2")
    assert rows["server.workers"]["source"] == "environment BASCULE_SERVER__WORKERS"
    assert rows["server.host"]["source"] == "default"


def test_secrets_are_masked(tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text("database:\n  url: ${DB}\n")
    environ = {"DB": "postgresql+asyncpg://bascule:hunter2@db.example/bascule"}
    for options in ([], ["-o", "json"], ["-o", "yaml"]):
        ended = run("config", "show", "--data", tmp_path, *options, environ=environ)
        assert ended.code == 0
        assert "hunter2" not in ended.out
        assert "db.example" in ended.out


def test_a_table_has_a_line_for_every_setting(tmp_path: Path) -> None:
    lines = run("config", "show", "--data", tmp_path).out.splitlines()
    assert lines[0].split() == ["key", "value", "source", "needs_restart"]
    assert len(lines) == len(inventory()) + 1


def test_wrong_settings_are_all_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {prot: 1, port: many}\n")
    refused = run("config", "show", "--data", tmp_path)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert [one["key"] for one in refused.error["details"]["problems"]]
    assert "prot" in refused.error["message"]
    assert "many" in refused.error["message"] or "server.port" in refused.error["message"]


@pytest.mark.parametrize("options", [[], ["-o", "json"], ["-o", "table"]])
def test_the_schema_is_json_unless_told_otherwise(options: list[str]) -> None:
    schema = json.loads(run("config", "schema", *options).out)
    assert "server" in schema["properties"]
    assert yaml.safe_load(run("config", "schema", "-o", "yaml").out) == schema


def test_a_check_passes_where_an_instance_would_start(tmp_path: Path) -> None:
    rows = run("config", "check", "--data", tmp_path, "-o", "json").value
    assert rows == [
        {"check": "settings", "detail": "defaults only"},
        {"check": "tls", "detail": "plain HTTP"},
    ]


def test_a_check_names_what_would_keep_it_from_starting(tmp_path: Path) -> None:
    pair, other = Authority().issue("gw"), Authority().issue("gw")
    (tmp_path / "gw.pem").write_text(pair.certificate)
    (tmp_path / "gw.key").write_text(other.key)
    settings = {
        "BASCULE_SERVER__TLS_CERTIFICATE": str(tmp_path / "gw.pem"),
        "BASCULE_SERVER__TLS_KEY": str(tmp_path / "gw.key"),
    }
    ended = run("config", "check", "--data", tmp_path, environ=settings)
    assert "is not that of the certificate" in ended.error["message"]
    (tmp_path / "gw.key").write_text(pair.key)
    rows = run("config", "check", "--data", tmp_path, "-o", "json", environ=settings).value
    assert rows[1]["detail"].startswith("CN=gw, good for ")
