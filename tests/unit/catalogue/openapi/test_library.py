"""Files are read once, when they are referred to, and found by more than their name."""

import pytest

from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.library import Library, check_size
from bascule.catalogue.openapi.pointers import root_of
from bascule.catalogue.openapi.references import Astray
from bascule.catalogue.openapi.remote import FetchFailed
from bascule.catalogue.openapi.sources import DocumentSource


def library(**files: str) -> Library:
    contents = {name.replace("__", "/"): text.encode() for name, text in files.items()}
    return Library(DocumentSource("api.yaml", contents))


def test_the_main_document_is_one_file_under_two_names() -> None:
    files = library(**{"api.yaml": "a: 1", "b.yaml": "b: 2"})

    assert files.locate("api.yaml", "b.yaml") == ""
    assert files.text("").root == {"a": 1}
    assert files.text(files.locate("./b.yaml", "")) is files.text("b.yaml")


def test_what_was_not_given_is_named() -> None:
    with pytest.raises(Astray, match=r"'models/c\.yaml' was not given"):
        library(**{"api.yaml": "a: 1"}).locate("models/c.yaml", "")


def test_a_broken_file_is_named_with_its_line() -> None:
    with pytest.raises(DocumentRejected, match=r"In the file b\.yaml: .*line 3") as caught:
        library(**{"b.yaml": "a: 1\nb: ["}).text("b.yaml")

    assert caught.value.findings[0].location == "b.yaml#"
    assert caught.value.findings[0].line == 3


def test_an_empty_file_is_named_too() -> None:
    with pytest.raises(DocumentRejected) as caught:
        library(**{"b.yaml": ""}).text("b.yaml")

    assert caught.value.findings == (Finding("b.yaml#", "The document is empty."),)


def test_lines_are_those_of_each_file() -> None:
    files = library(**{"api.yaml": "\na: 1", "b.yaml": '{\n\n"b": 2}', "c.yaml": "c: 3"})
    files.text("")
    files.text("b.yaml")
    places = [("a",), (*root_of("b.yaml"), "b"), (*root_of("c.yaml"), "c")]

    assert files.lines(places) == {("a",): 2, (*root_of("b.yaml"), "b"): 3}


def test_a_file_answers_to_the_address_it_gives_itself() -> None:
    main = "$self: https://example.com/api/openapi\na: 1"
    shared = "$self: https://example.com/api/shared/foo\nb: 2"
    files = library(**{"api.yaml": main, "x.yaml": shared, "schemas__pet.yaml": "c: 3"})

    assert files.locate("shared/foo", "") == "x.yaml"
    assert files.locate("https://example.com/api/openapi", "x.yaml") == ""
    assert files.locate("../openapi", "x.yaml") == ""
    assert files.locate("https://example.com/api/schemas/pet.yaml", "") == "schemas/pet.yaml"


def test_other_hosts_are_asked_once_and_only_if_allowed() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        if "gone" in url:
            raise FetchFailed("it answered HTTP 404")
        return b"a: {$ref: other.yaml}"

    url = "https://example.com/v1/pet.yaml"
    refusing, allowing = library(), Library(DocumentSource("", {}), fetch)

    with pytest.raises(Astray, match=r"for https://example\.com/v1/pet\.yaml; .*--allow-host"):
        refusing.locate(url, "")
    assert [allowing.locate(url, ""), allowing.locate(url, "")] == [url, url]
    assert allowing.locate("other.yaml", url) == "https://example.com/v1/other.yaml"
    assert asked == [url, "https://example.com/v1/other.yaml"]
    with pytest.raises(Astray, match="it answered HTTP 404"):
        allowing.locate("https://example.com/gone.yaml", "")


def test_a_document_from_the_net_has_its_files_there() -> None:
    source = DocumentSource("api.yaml", {"api.yaml": b""}, "https://example.com/v1/api.yaml")
    files = Library(source, lambda _: b"a: 1")

    assert files.locate("models/pet.yaml", "") == "https://example.com/v1/models/pet.yaml"
    assert files.locate("../pet.yaml", "") == "https://example.com/pet.yaml"
    assert files.locate("/pet.yaml", "") == "https://example.com/pet.yaml"
    assert files.locate("api.yaml", "") == ""
    with pytest.raises(Astray, match="'file'"):
        files.locate("file:///etc/passwd", "")
    with pytest.raises(Astray, match="allow_hosts"):
        Library(source).locate("pet.yaml", "")


def test_a_chain_of_remote_files_ends() -> None:
    files = Library(DocumentSource("", {}), lambda _: b"a: 1")

    for number in range(200):
        files.locate(f"https://example.com/{number}", "")
    with pytest.raises(Astray, match="more than 200 files"):
        files.locate("https://example.com/more", "")


def test_remote_files_do_not_fill_the_memory() -> None:
    block = b"x" * (40 * 1024 * 1024)
    files = Library(DocumentSource("", {}), lambda _: block)
    files.locate("https://example.com/1", "")

    with pytest.raises(Astray, match="bytes"):
        files.locate("https://example.com/2", "")


def test_files_that_are_too_large_together_are_refused() -> None:
    block = b"x" * (33 * 1024 * 1024)

    check_size(DocumentSource("a", {"a": block}))
    with pytest.raises(DocumentRejected, match="at most 67,108,864"):
        check_size(DocumentSource("a", {"a": block, "b": block}))


def test_findings_get_their_lines() -> None:
    files = library(**{"api.yaml": "a: 1\nb: 2"})
    files.text("")
    found = [Finding("#/b", "x"), Finding("#/c", "y"), Finding("#", "z", 9)]
    rejection = DocumentRejected("no", found)

    lines = [one.line for one in files.with_lines(rejection).findings]

    assert lines == [2, None, 9]
