"""What `proxy` makes of its arguments; that it relays is seen from outside, in tests/e2e."""

from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bascule.cli.signing_in import SignIn
from bascule.gateway.connector import DIRECT, UserGrants
from bascule.gateway.tool import Upstream, UpstreamKind
from unit.cli.shell import run

Relayed: TypeAlias = tuple[Any, Path, Upstream, SignIn]


@pytest.fixture
def relayed(monkeypatch: pytest.MonkeyPatch) -> list[Relayed]:
    """What the relay was started with."""
    found: list[Any] = []
    monkeypatch.setattr("bascule.cli.servers.proxy.run", lambda *given: found.append(given))
    return found


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/mcp", "https://mcp.example/"])
def test_a_url_is_a_server_reached_over_http(relayed: list[Relayed], url: str) -> None:
    assert run("proxy", url).code == 0
    ((_, _, upstream, _),) = relayed
    assert (upstream.kind, upstream.url, upstream.command) == (UpstreamKind.MCP_HTTP, url, ())


def test_what_follows_two_dashes_is_a_command_with_its_own_options(
    relayed: list[Relayed],
) -> None:
    assert run("proxy", "--port", "0", "--", "npx", "-y", "server", "--port", "9").code == 0
    ((loaded, _, upstream, _),) = relayed
    assert upstream.kind is UpstreamKind.MCP_STDIO
    assert upstream.command == ("npx", "-y", "server", "--port", "9")
    assert loaded.settings.server.port == 0


def test_it_listens_on_loopback_whatever_the_settings_say(
    relayed: list[Relayed], tmp_path: Path
) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {host: 127.0.0.9}\n")
    assert run("proxy", "http://h/mcp", "--data", tmp_path).code == 0
    assert relayed[0][0].settings.server.host == "127.0.0.1"


def test_the_time_limits_are_those_of_the_settings(relayed: list[Relayed], tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text("upstreams: {connect_timeout_seconds: 1.5}\n")
    assert run("proxy", "http://h/mcp", "--data", tmp_path).code == 0
    assert relayed[0][2].connect_timeout_seconds == 1.5


@pytest.mark.parametrize("arguments", [["--bogus"], ["-x", "http://h/mcp"], []])
def test_an_option_that_is_none_is_not_taken_for_a_command(
    relayed: list[Relayed], arguments: list[str]
) -> None:
    refused = run("proxy", *arguments)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert relayed == []


def test_without_an_option_nobody_signs_in_anywhere(relayed: list[Relayed]) -> None:
    assert run("proxy", "http://h/mcp").code == 0
    ((_, _, upstream, signing_in),) = relayed
    assert upstream.connector is DIRECT
    assert signing_in == SignIn()


def test_the_server_is_signed_in_at_as_the_options_say(relayed: list[Relayed]) -> None:
    options = ["--oauth", "--oauth-scope", "read", "--oauth-scope", "write"]
    client = ["--oauth-client-id", "mine", "--oauth-issuer", "https://a.example"]
    document = ["--oauth-client-document", "https://me.example/client.json"]

    assert run("proxy", *options, *client, *document, "https://h/mcp").code == 0

    ((_, _, upstream, signing_in),) = relayed
    assert upstream.connector.user_grants == UserGrants(
        "mine", "", "https://a.example", ("read", "write")
    )
    assert signing_in.person
    assert signing_in.document_url == "https://me.example/client.json"


def test_a_command_is_not_signed_in_at(relayed: list[Relayed]) -> None:
    refused = run("proxy", "--oauth", "--", "server")

    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert relayed == []
