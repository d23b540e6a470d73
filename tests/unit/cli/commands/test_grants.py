"""`grants`: what is listed, asked for and taken back, by whom."""

import json
from pathlib import Path
from typing import Any

from unit.cli.shell import run


def printed(*arguments: str | Path) -> Any:
    """What a command printed, whatever it warned of."""
    return json.loads(run(*arguments).out)


def test_nothing_was_allowed_yet(data: Path) -> None:
    for own in ((), ("--own",)):
        listed = run("grants", "list", *own, "--data", data, "-o", "json").value
        assert (listed["grants"], listed["total"]) == ([], 0)
    table = run("grants", "list", "--upstream", "notes", "--data", data)
    assert table.code == 0


def test_a_person_who_is_not_there_is_named(data: Path) -> None:
    ended = run("grants", "list", "--user", "nobody", "--data", data, "-o", "json")
    assert "no user named nobody" in ended.error["message"]


def test_what_is_not_there_cannot_be_taken_back(data: Path) -> None:
    missing = "00000000-0000-0000-0000-000000000000"
    for own in ((), ("--own",)):
        ended = run("grants", "revoke", missing, *own, "--data", data, "-o", "json")
        assert ended.error["code"] == "E2011"


def test_only_a_server_that_is_there_can_be_connected(data: Path) -> None:
    for gateway in ((), ("--gateway",)):
        ended = run("grants", "connect", "notes", *gateway, "--data", data, "-o", "json")
        assert "no MCP server named notes" in ended.error["message"]


def test_a_server_is_added_to_be_called_on_behalf_of_its_callers(data: Path) -> None:
    address = "http://127.0.0.1:9/mcp"  # nobody is there, of which a warning speaks
    added = printed(
        "servers", "add", "notes", address, "--user-oauth",
        "--oauth-scope", "read", "--oauth-scope", "write", "--data", data, "-o", "json",
    )  # fmt: skip
    assert added["on_behalf_of_callers"] is True
    shown = run("upstreams", "show", "notes", "--data", data, "-o", "json").value
    assert shown["connector"]["user_grants"]["scopes"] == ["read", "write"]
    plain = printed("servers", "add", "plain", address, "--data", data, "-o", "json")
    assert plain["on_behalf_of_callers"] is False
    changed = printed("servers", "set", "plain", "--user-oauth", "--data", data, "-o", "json")
    assert changed["on_behalf_of_callers"] is True


def test_a_service_is_set_to_be_called_with_exchanged_tokens(data: Path) -> None:
    given = ("upstreams", "set", "api", "--data", data, "-o", "json")
    first = run(
        *given, "--address", "https://api.example", "--token-url", "https://id.example/token",
        "--client-id", "g", "--client-secret", "${secret:g}",
    ).value  # fmt: skip
    assert first["connector"]["credentials"]["client_id"] == "g"
    second = run(
        *given, "--exchange-url", "https://id.example/token", "--client-id", "g",
        "--client-secret", "${secret:g}", "--audience", "api",
        "--exchange-issuer", "https://id.example",
    ).value["connector"]  # fmt: skip
    assert second["credentials"] is None
    assert second["exchange"]["audience"] == "api"
    third = run(*given, "--scope", "orders").value["connector"]
    assert third["exchange"]["scope"] == "orders"
    assert third["exchange"]["issuer"] == "https://id.example"
    both = run(*given, "--exchange-url", "https://a.example", "--token-url", "https://b.example")
    assert both.code == 2
    listed = run("upstreams", "list", "--data", data, "-o", "json").value
    assert listed["upstreams"][0]["connector"]["exchange"]["client_secret"] == "${secret:g}"
