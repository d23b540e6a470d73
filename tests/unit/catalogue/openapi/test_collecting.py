"""From a disk, a document comes with the files it refers to, and no others."""

from pathlib import Path

import pytest

from bascule.catalogue.openapi.archives import pack
from bascule.catalogue.openapi.collecting import collect, pack_upload
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.sources import read_upload

MAIN = "openapi: 3.1.0\npaths:\n  /a: {$ref: 'paths/a@{id}.yaml#/x'}\n  /b:\n    $ref: b c.json\n"


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def layout(folder: Path) -> None:
    write(folder, **{
        "openapi.yaml": MAIN,
        "paths__a@{id}.yaml": "x: {$ref: ../c.yaml}\n",
        "b c.json": '{"$ref":".\\/c.yaml#\\/y","z":{"$ref":"https://example.com/x.yaml"}}',
        "c.yaml": "y: {$ref: openapi.yaml#/paths}\n",
        "unrelated.yaml": "x: 1\n",
    })  # fmt: skip


def test_a_document_comes_with_what_it_refers_to(tmp_path: Path) -> None:
    layout(tmp_path)

    source = collect(tmp_path / "openapi.yaml")

    assert source.main == "openapi.yaml"
    assert sorted(source.files) == ["b c.json", "c.yaml", "openapi.yaml", "paths/a@{id}.yaml"]


def test_a_folder_holds_one_document(tmp_path: Path) -> None:
    layout(tmp_path / "spec")

    source = collect(tmp_path)

    assert source.main == "spec/openapi.yaml"
    assert "spec/c.yaml" in source.files


def test_the_root_may_be_above_the_document(tmp_path: Path) -> None:
    write(tmp_path, **{"spec__api.yaml": "openapi: 3.1.0\nx: {$ref: ../c.yaml}", "c.yaml": "{}"})

    assert list(collect(tmp_path / "spec" / "api.yaml").files) == ["api.yaml"]
    above = collect(tmp_path, main="spec/api.yaml")
    assert (above.main, sorted(above.files)) == ("spec/api.yaml", ["c.yaml", "spec/api.yaml"])


def test_links_out_of_the_root_are_not_followed(tmp_path: Path) -> None:
    write(
        tmp_path, **{"secret.yaml": "key: 1", "in__api.yaml": "openapi: 3.1.0\nx: {$ref: l.yaml}"}
    )
    (tmp_path / "in" / "l.yaml").symlink_to(tmp_path / "secret.yaml")

    assert list(collect(tmp_path / "in" / "api.yaml").files) == ["api.yaml"]


def test_a_document_outside_the_root_is_refused(tmp_path: Path) -> None:
    write(tmp_path, **{"api.yaml": "openapi: 3.1.0", "in__x.yaml": ""})

    with pytest.raises(DocumentRejected, match="not within"):
        collect(tmp_path / "in", main="../api.yaml")


def test_a_folder_without_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentRejected, match="None of its files"):
        collect(tmp_path)


def test_what_is_not_there_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        collect(tmp_path / "api.yaml")


def test_an_archive_is_read_as_it_is(tmp_path: Path) -> None:
    archive = pack({"v1/api.yaml": b"openapi: 3.1.0", "v2/api.yaml": b"openapi: 3.1.0"})
    (tmp_path / "api.tgz").write_bytes(archive)

    assert collect(tmp_path / "api.tgz", main="v2/api.yaml").main == "v2/api.yaml"
    assert pack_upload(tmp_path / "api.tgz", "v2/api.yaml") == ("api.tgz#v2/api.yaml", archive)
    assert pack_upload(tmp_path / "api.tgz") == ("api.tgz", archive)


def test_an_upload_holds_what_was_collected(tmp_path: Path) -> None:
    layout(tmp_path)

    name, content = pack_upload(tmp_path / "openapi.yaml")

    assert read_upload(content, name) == collect(tmp_path / "openapi.yaml")


def test_a_document_alone_is_uploaded_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, **{"api.yaml": "openapi: 3.1.0"})

    assert pack_upload(tmp_path / "api.yaml") == ("api.yaml", b"openapi: 3.1.0")
