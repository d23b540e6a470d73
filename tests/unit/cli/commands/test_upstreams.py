"""`upstreams`: what is given changes, what is not stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import Ended, run

URL = "https://api.example"
TOKEN = ("--token-url", "https://login.example/token", "--client-id", "gateway",
         "--client-secret", "${secret:client}")  # fmt: skip


def put(data: Path, *options: str, name: str = "crm") -> Ended:
    return run("upstreams", "set", name, *options, "--data", data, "-o", "json")


def show(data: Path) -> Any:
    return run("upstreams", "show", "crm", "--data", data, "-o", "json").value


def test_a_service_is_set_shown_listed_and_removed(data: Path) -> None:
    put(data, "--address", URL, "--header", "X-Api-Key: ${secret:key}", *TOKEN)
    shown = show(data)
    assert shown["connector"]["credentials"]["client_secret"] == "${secret:client}"
    listed = run("upstreams", "list", "--data", data).out
    line = next(one for one in listed.splitlines() if one.startswith("crm "))
    assert line.split()[:6] == ["crm", "rest", URL, "live", "token", "X-Api-Key"]
    gone = run("upstreams", "remove", "crm", "--data", data, "-o", "json")
    assert gone.value == {"removed": "crm"}


def test_each_option_changes_what_it_names(data: Path) -> None:
    put(data, "--address", URL, "--timeout", "5", *TOKEN)
    put(data, "--scope", "a b", "--secret-in-body", "--health-path", "/up", "--mode", "mock")
    put(data, "--network", "10.0.0.0/8", "--tls-certificate", "${secret:c}",
        "--tls-key", "${secret:k}", "--tls-authorities", "${secret:a}")  # fmt: skip
    shown = put(data, "--connect-timeout", "2", "--audience", "api").value
    connector = shown["connector"]
    assert connector["credentials"] == {
        "token_url": "https://login.example/token", "client_id": "gateway",
        "client_secret": "${secret:client}", "scope": "a b", "audience": "api",
        "secret_in_body": True,
    }  # fmt: skip
    assert connector["tls"] == {
        "certificate": "${secret:c}", "key": "${secret:k}", "authorities": "${secret:a}",
    }  # fmt: skip
    assert (connector["networks"], connector["health_path"], connector["mode"]) == (
        ["10.0.0.0/8"], "/up", "mock",
    )  # fmt: skip
    assert (shown["timeout_seconds"], shown["connect_timeout_seconds"]) == (5, 2)


def test_a_file_holds_the_connector_whole(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "connector.yaml"
    file.write_text("retry: {attempts: 1}\nbreaker: {failures: 9}\n")
    shown = put(data, "--address", URL, "--file", str(file), "--mode", "mock").value
    assert shown["connector"]["retry"]["attempts"] == 1
    assert shown["connector"]["mode"] == "mock"
    other = tmp_path / "connector.json"
    other.write_text(json.dumps({"mode": "live"}))
    assert put(data, "--file", str(other)).value["connector"]["retry"]["attempts"] == 3


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(data: Path) -> None:
    for given in (("--header", "X-Api-Key: hunter2"), (*TOKEN[:4], "--client-secret", "hunter2")):
        ended = put(data, "--address", URL, *given)
        assert ended.error["code"] == "E2004"
        assert "hunter2" not in ended.err


@pytest.mark.parametrize("header", ["nothing", ": x"])
def test_what_is_no_header_is_refused(data: Path, header: str) -> None:
    assert put(data, "--address", URL, "--header", header).code == 2


def test_a_new_service_needs_the_option_that_is_named(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "connector.json"
    file.write_text("{}")
    for given in (("--mode", "mock"), ("--file", str(file)), ()):
        refused = put(data, *given, name="new.one")
        assert (refused.code, refused.error["code"]) == (2, "E2004")
        assert refused.error["message"] == (
            "There is no service new.one yet: give --address URL to add it."
        )


def test_a_try_says_how_far_it_came(data: Path) -> None:
    put(data, "--address", "http://127.0.0.1:9", "--header", "X: ${secret:none}")
    tried = run("upstreams", "test", "crm", "--data", data)
    assert tried.code == 4
    assert "There is no secret none" in tried.out
    put(data, "--header", "X: 1")
    tried = run("upstreams", "test", "crm", "--data", data, "-o", "json")
    steps = json.loads(tried.out)["steps"]
    assert [(one["step"], one["ok"]) for one in steps] == [
        ("secrets", True), ("address", True), ("connection", False),
    ]  # fmt: skip
    assert "127.0.0.1:9" in steps[-1]["detail"]
