"""Against a service that speaks Vault's API for KV version 2, as its documentation says."""

import json
from pathlib import Path

import pytest

from bascule.upstreams.egress import ANYWHERE
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Reference, references_in
from bascule.upstreams.secrets.vault import Vault, VaultConfig
from fakes.replies import Asked, replying

TOKEN = "hvs.token"
SECRET = {"password": "hunter2", "port": 5432}


def one(text: str = "${vault:kv/team/crm#password}") -> Reference:
    (found,) = references_in(text)
    return found


def vault(asked: Asked) -> tuple[int, bytes]:
    if asked.header("x-vault-token") != TOKEN:
        return 403, b'{"errors":["permission denied"]}'
    if asked.target != "/v1/kv/data/team/crm" or asked.method != "GET":
        return 404, b'{"errors":[]}'
    metadata = {"version": 3, "destroyed": False}
    return 200, json.dumps({"data": {"data": SECRET, "metadata": metadata}}).encode()


async def fetch(config: VaultConfig, reference: Reference) -> str:
    async with HttpClient(PoolConfig(rules=ANYWHERE)) as client:
        return await Vault(config, client).fetch(reference)


async def refused(config: VaultConfig, reference: Reference) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        await fetch(config, reference)
    assert TOKEN not in caught.value.private
    assert "hunter2" not in caught.value.private
    return caught.value.private


async def test_a_field_is_read() -> None:
    async with replying(vault) as service:
        config = VaultConfig(str(service.origin), TOKEN, namespace="team-a")
        assert await fetch(config, one()) == "hunter2"
    (asked,) = service.asked
    assert asked.header("x-vault-namespace") == "team-a"
    assert asked.header("x-vault-request") == "true"


async def test_a_token_in_a_file_is_read_whenever_it_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("expired\n")
    async with replying(vault) as service:
        config = VaultConfig(str(service.origin), "unused", str(file))
        assert "refused the token" in await refused(config, one())
        file.write_text(f"{TOKEN}\n")
        assert await fetch(config, one()) == "hunter2"
        file.unlink()
        assert "vault_token_file cannot be read: No such file" in await refused(config, one())
        file.write_bytes(b"\xff")
        assert "not a text" in await refused(config, one())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${vault:kv/other#password}", "nothing there"),
        ("${vault:kv/team/crm#none}", "the field none is not in that secret"),
        ("${vault:kv/team/crm#port}", "the field port is no text"),
    ],
)
async def test_what_is_not_there_is_named(text: str, reason: str) -> None:
    async with replying(vault) as service:
        assert reason in await refused(VaultConfig(str(service.origin), TOKEN), one(text))


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, b'{"errors":["Vault is sealed"]}', "sealed"),
        (429, b"", "no more requests"),
        (500, b"", "status 500"),
        (200, b"not json", "KV version 2"),
        (200, b"[]", "KV version 2"),
        (200, b'{"data":{"password":"hunter2"}}', "KV version 2"),
    ],
)
async def test_other_answers_are_explained(status: int, body: bytes, reason: str) -> None:
    async with replying(lambda _: (status, body)) as service:
        assert reason in await refused(VaultConfig(str(service.origin), TOKEN), one())


async def test_a_vault_that_is_away_is_named() -> None:
    said = await refused(VaultConfig("http://127.0.0.1:1", TOKEN), one())
    assert said.startswith("${vault:kv/team/crm#password}: Vault: http://127.0.0.1:1: ")


async def test_a_token_that_cannot_be_sent_is_not_repeated() -> None:
    config = VaultConfig("http://127.0.0.1:1", f"{TOKEN}\r\nx: y")
    assert "holds characters" in await refused(config, one())


def test_the_address_must_be_one() -> None:
    with pytest.raises(ValueError, match="http"):
        Vault(VaultConfig("vault.example"), None)  # type: ignore[arg-type]
