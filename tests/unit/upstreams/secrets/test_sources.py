import os
from pathlib import Path

import pytest

from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Reference, references_in
from bascule.upstreams.secrets.sources import MOST_BYTES, Environment, Files, Stored


def one(text: str) -> Reference:
    (found,) = references_in(text)
    return found


async def test_the_environment_gives_variables_and_defaults() -> None:
    environment = Environment({"KEY": "value", "EMPTY": ""})
    assert await environment.fetch(one("${KEY}")) == "value"
    assert await environment.fetch(one("${KEY:other}")) == "value"
    assert await environment.fetch(one("${EMPTY:other}")) == ""
    assert await environment.fetch(one("${NONE:other}")) == "other"
    with pytest.raises(SecretUnavailable) as caught:
        await environment.fetch(one("${NONE}"))
    assert "no variable NONE" in caught.value.private
    assert await Environment().fetch(one("${PATH}")) == os.environ["PATH"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
async def test_a_file_is_its_text_without_the_last_line_break(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(f"two\nlines ü{ending}".encode())
    assert await Files().fetch(one(f"${{file:{file}}}")) == "two\nlines ü"


async def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    large, binary = tmp_path / "large", tmp_path / "binary"
    large.write_bytes(b"x" * (MOST_BYTES + 1))
    binary.write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    cases = {"none": "names no file", "pipe": "names no file", "large": "more than", ".": "no file",
             "binary": "not UTF-8"}  # fmt: skip
    for name, reason in cases.items():
        with pytest.raises(SecretUnavailable) as caught:
            await Files().fetch(Reference(one("${file:/x}").kind, str(tmp_path / name)))
        assert reason in caught.value.private


async def test_a_file_that_cannot_be_opened_is_refused(monkeypatch, tmp_path: Path) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "key"
    file.write_text("x")
    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(SecretUnavailable) as caught:
        await Files().fetch(one(f"${{file:{file}}}"))
    assert "Permission denied" in caught.value.private


def holding(box: SecretBox, **values: str) -> Snapshot:
    secrets = {name: box.close("t", name, value) for name, value in values.items()}
    return Snapshot(1, {"t": TenantView("t", secrets=secrets), "empty": TenantView("empty")})


def test_stored_secrets_follow_the_snapshot() -> None:
    box = SecretBox([b"k" * 32])
    stored = Stored(box)
    first = holding(box, crm="one")
    stored.follow(first)
    assert stored.generation("t") == 1
    assert stored.open("t", one("${secret:crm}")) == "one"
    stored.follow(first)
    assert stored.generation("t") == 1, "nothing has changed"
    stored.follow(holding(box, crm="two"))
    assert stored.generation("t") == 2
    assert stored.open("t", one("${secret:crm}")) == "two"
    stored.follow(Snapshot(2))
    assert stored.generation("t") == 3
    assert stored.generation("empty") == 0, "another tenant's secrets are nothing to it"


def test_a_tenant_has_its_own_secrets_only() -> None:
    box = SecretBox([b"k" * 32])
    stored = Stored(box)
    stored.follow(holding(box, crm="one"))
    for tenant, name in (("other", "crm"), ("empty", "crm"), ("t", "erp")):
        with pytest.raises(SecretUnavailable) as caught:
            stored.open(tenant, one(f"${{secret:{name}}}"))
        assert f"There is no secret {name}" in caught.value.private
