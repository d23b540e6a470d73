"""A document is read from wherever it is named."""

import io
import sys
from pathlib import Path

import pytest

from bascule.catalogue.openapi.remote import FetchFailed
from bascule.cli.documents import Upload, fetch, read_document
from bascule.cli.failures import CommandFailed, Exit
from unit.cli.shell import Quiet, answering


class _Host(Quiet):
    def do_GET(self) -> None:
        """A document, or nothing."""
        self.reply(b"openapi: 3.1.0", status=200 if self.path == "/a.yaml" else 404)


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text("openapi: 3.1.0")
    assert read_document(str(file)) == Upload("api.yaml", b"openapi: 3.1.0")


def test_a_folder_is_packed_with_what_the_document_refers_to(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text("openapi: 3.1.0\npaths: {$ref: p.yaml}")
    (tmp_path / "p.yaml").write_text("{}")
    upload = read_document(str(tmp_path))
    assert upload.name.endswith(".tar.gz#openapi.yaml")
    assert upload.content.startswith(b"\x1f\x8b")


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert read_document("-") == Upload("stdin", b"{}")


def test_an_address_is_fetched_and_remembered() -> None:
    with answering(_Host) as url:
        assert read_document(f"{url}/a.yaml") == Upload(
            "a.yaml", b"openapi: 3.1.0", f"{url}/a.yaml"
        )
        with pytest.raises(CommandFailed, match="answered HTTP 404") as failed:
            read_document(f"{url}/b.yaml")
        assert failed.value.exit_code is Exit.UNREACHABLE
        with pytest.raises(FetchFailed, match="HTTP 404"):
            fetch(f"{url}/b.yaml")


def test_what_is_missing_in_a_folder_is_named_and_not_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "mf"
    folder.mkdir()
    with pytest.raises(CommandFailed) as failed:
        read_document(f"{folder}#b/nope.yaml")
    assert failed.value.message == (
        f"b/nope.yaml in {folder} cannot be read: No such file or directory."
    )
    with pytest.raises(CommandFailed, match="none cannot be read: No such"):
        read_document(f"{tmp_path}/none#b.yaml")


@pytest.mark.parametrize("scheme", ["grpc", "grpcs"])
def test_a_grpc_service_has_a_command_of_its_own(scheme: str) -> None:
    with pytest.raises(CommandFailed, match=f"`bascule import grpc {scheme}://h:1`"):
        read_document(f"{scheme}://h:1")


@pytest.mark.parametrize("source", ["none.yaml", "http://127.0.0.1:1/x", "http://[bad"])
def test_what_cannot_be_read_is_named(source: str) -> None:
    with pytest.raises(CommandFailed, match="cannot be"):
        read_document(source)
