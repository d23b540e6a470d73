"""What `proxy` makes of its arguments; that it relays is seen from outside, in tests/e2e."""

from pathlib import Path
from typing import Any

import pytest

from bascule.gateway.tool import Upstream, UpstreamKind
from unit.cli.shell import run


@pytest.fixture
def relayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Path, Upstream]]:
    """What the relay was started with."""
    found: list[Any] = []
    monkeypatch.setattr("bascule.cli.servers.proxy.run", lambda *given: found.append(given))
    return found


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/mcp", "https://mcp.example/"])
def test_a_url_is_a_server_reached_over_http(
    relayed: list[tuple[Any, Path, Upstream]], url: str
) -> None:
    assert run("proxy", url).code == 0
    ((_, _, upstream),) = relayed
    assert (upstream.kind, upstream.url, upstream.command) == (UpstreamKind.MCP_HTTP, url, ())


def test_what_follows_two_dashes_is_a_command_with_its_own_options(
    relayed: list[tuple[Any, Path, Upstream]],
) -> None:
    assert run("proxy", "--port", "0", "--", "npx", "-y", "server", "--port", "9").code == 0
    ((loaded, _, upstream),) = relayed
    assert upstream.kind is UpstreamKind.MCP_STDIO
    assert upstream.command == ("npx", "-y", "server", "--port", "9")
    assert loaded.settings.server.port == 0


def test_it_listens_on_loopback_whatever_the_settings_say(
    relayed: list[tuple[Any, Path, Upstream]], tmp_path: Path
) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {host: 127.0.0.9}\n")
    assert run("proxy", "http://h/mcp", "--data", tmp_path).code == 0
    assert relayed[0][0].settings.server.host == "127.0.0.1"


def test_the_time_limits_are_those_of_the_settings(
    relayed: list[tuple[Any, Path, Upstream]], tmp_path: Path
) -> None:
    (tmp_path / "bascule.yaml").write_text("upstreams: {connect_timeout_seconds: 1.5}\n")
    assert run("proxy", "http://h/mcp", "--data", tmp_path).code == 0
    assert relayed[0][2].connect_timeout_seconds == 1.5


@pytest.mark.parametrize("arguments", [["--bogus"], ["-x", "http://h/mcp"], []])
def test_an_option_that_is_none_is_not_taken_for_a_command(
    relayed: list[tuple[Any, Path, Upstream]], arguments: list[str]
) -> None:
    refused = run("proxy", *arguments)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert relayed == []
