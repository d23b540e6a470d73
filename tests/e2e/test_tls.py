"""The installed command over TLS: an instance that speaks it, and commands that reach it."""

from pathlib import Path

import httpx2
import pytest

from fakes.certificates import Authority
from fakes.instances import bascule, bascule_here, serving

AUTHORITY = Authority()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """TLS with a certificate for localhost, and client certificates that are wanted."""
    pair, client = AUTHORITY.issue("gw"), AUTHORITY.client("me")
    texts = {
        "gw.pem": pair.certificate,
        "gw.key": pair.key,
        "ca.pem": AUTHORITY.certificate,
        "me.pem": client.certificate,
        "me.key": client.key,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {
        "server.tls_certificate": str(tmp_path / "gw.pem"),
        "server.tls_key": str(tmp_path / "gw.key"),
        "server.client_ca": str(tmp_path / "ca.pem"),
    }


@pytest.mark.parametrize("command", ["up", "serve"])
def test_commands_reach_an_instance_over_tls(
    tmp_path: Path, settings: dict[str, str], command: str
) -> None:
    data = tmp_path / "data"
    with serving(data, settings=settings, command=command) as instance:
        assert instance.mcp_url.startswith("https://127.0.0.1:")
        # One that runs here is known by its directory, and needs no authority.
        key = ("--key", instance.admin_key)
        assert bascule_here("keys", "list", "--data", data, *key, "-o", "json").code == 0
        given = ("keys", "list", "--url", instance.url, "--key", instance.admin_key, "-o", "json")
        assert "--ca FILE" in bascule_here(*given).error["message"]
        assert bascule_here(*given, "--ca", tmp_path / "ca.pem").code == 0
        with httpx2.Client(trust_env=False) as client:
            plain = client.get(instance.url.replace("https", "http") + "/healthz")
        assert plain.status_code == 400


def test_where_certificates_are_required_commands_show_theirs(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    data = tmp_path / "data"
    wanted = {**settings, "server.client_certificates": "required"}
    with serving(data, settings=wanted) as instance:
        given = ("keys", "list", "--url", instance.url, "--key", instance.admin_key)
        given += ("--ca", str(tmp_path / "ca.pem"))
        assert "--client-certificate FILE" in bascule_here(*given).error["message"]
        own = ("--client-certificate", tmp_path / "me.pem", "--client-key", tmp_path / "me.key")
        assert bascule_here(*given, *own).code == 0
        assert bascule_here("keys", "list", "--data", data, *own).code == 0


@pytest.mark.parametrize("command", ["up", "serve"])
def test_files_that_cannot_be_used_stop_the_start_with_one_clear_error(
    tmp_path: Path, settings: dict[str, str], command: str
) -> None:
    (tmp_path / "gw.key").write_text(AUTHORITY.issue("gw").key)
    ended = bascule(command, "--data", tmp_path / "data", "--port", "0", settings=settings)
    assert ended.code != 0
    assert "is not that of the certificate" in ended.err
    assert "Traceback" not in ended.err
