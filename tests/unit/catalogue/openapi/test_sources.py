"""What is handed over is one document, or an archive with one that must be meant."""

import gzip

import pytest

from bascule.catalogue.openapi.archives import pack
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.sources import choose_main, read_upload

MAIN = b"openapi: 3.1.0"


def test_a_document_keeps_its_name() -> None:
    source = read_upload(MAIN, "C:\\docs\\api.yaml")

    assert (source.main, source.files["api.yaml"]) == ("api.yaml", MAIN)


def test_a_compressed_document_loses_the_ending() -> None:
    source = read_upload(gzip.compress(MAIN), "api.yaml.gz")

    assert (source.main, source.files[source.main]) == ("api.yaml", MAIN)


def test_the_document_of_an_archive_is_the_one_nearest_to_the_root() -> None:
    files = {"spec/api.yml": MAIN, "spec/old/api.yml": MAIN, "ci.yaml": b"on: push"}

    assert read_upload(pack(files), "spec.tgz").main == "spec/api.yml"


def test_of_several_the_one_with_the_usual_name_is_meant() -> None:
    assert choose_main({"a.yaml": MAIN, "openapi.yaml": MAIN}) == "openapi.yaml"


def test_several_that_may_be_meant_are_named() -> None:
    files = {f"{number:02}.yaml": MAIN for number in range(12)}

    with pytest.raises(DocumentRejected, match=r"00\.yaml, .*09\.yaml and 2 more.*after a #"):
        choose_main(files)


def test_one_of_several_can_be_asked_for() -> None:
    archive = pack({"v1/openapi.yaml": MAIN, "v2/openapi.yaml": MAIN})

    assert read_upload(archive, "api.zip#./v2/openapi.yaml").main == "v2/openapi.yaml"
    with pytest.raises(DocumentRejected, match="no file 'v3"):
        read_upload(archive, "api.zip#v3/openapi.yaml")


def test_an_archive_without_a_document_is_refused() -> None:
    with pytest.raises(DocumentRejected, match="None of its files"):
        read_upload(pack({"a.yaml": b"x: 1"}), "a.tgz")
