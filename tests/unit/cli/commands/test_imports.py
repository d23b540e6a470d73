"""A document from a file, a pipe or an address becomes tools; or an error says why not."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import Quiet, answering, document, run

URL = "http://127.0.0.1:9"


def source(prefix: str = "new_") -> bytes:
    return document(URL).replace(b'"operationId": "', f'"operationId": "{prefix}'.encode())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(source())
    return path


def import_(data: Path, what: object, *options: str, **streams: Any):
    return run("import", "openapi", str(what), "--bundle", "b", *options, "--data", data, **streams)


def names(data: Path) -> list[str]:
    found = run("tools", "list", "--bundle", "b", "--data", data, "-o", "json").value
    return [f"{tool['name']} {tool['status']}" for tool in found]


def test_a_dry_run_answers_as_the_rest_api_does_and_changes_nothing(live: Path, file: Path) -> None:
    report = import_(live, file, "--dry-run", "-o", "json").value
    assert report["tools_generated"] == len(report["tools"]) == 5
    assert report["warnings"] == []
    assert (report["dry_run"], report["spec_id"], report["bundle"]) == (True, None, "b")
    assert {"name", "method", "path", "risk_level", "input_schema"} <= report["tools"][0].keys()
    assert names(live) == []


def test_an_import_makes_drafts_and_says_what_to_do_next(data: Path, file: Path) -> None:
    ended = import_(data, file)
    assert ended.code == 0
    assert ended.out.splitlines()[0].split() == ["name", "method", "path", "risk_level", "title"]
    assert "5 tools in bundle b, 5 of them drafts" in ended.err
    assert "--publish" in ended.err
    assert names(data)[0] == "new_broken draft"


def test_published_tools_are_in_force(data: Path, file: Path) -> None:
    ended = import_(data, file, "--publish")
    assert ended.err == "5 tools published in bundle b.\n"
    assert names(data)[0] == "new_broken active"


def test_a_draft_does_not_replace_what_is_published(data: Path, file: Path) -> None:
    import_(data, file, "--publish")
    refused = import_(data, file)
    assert (refused.code, refused.error["code"]) == (2, "E2012")
    assert "--publish" in refused.error["message"]
    assert import_(data, file, "--publish").code == 0


def test_one_tool_is_not_spoken_of_as_many(live: Path) -> None:
    one = json.loads(source())
    one["paths"] = {"/text": one["paths"]["/text"]}
    ended = import_(live, "-", "--dry-run", stdin=json.dumps(one).encode())
    assert ended.err == "1 tool would be made in bundle b; nothing was changed.\n"


def test_a_document_comes_from_standard_input(data: Path) -> None:
    assert import_(data, "-", "-o", "json", stdin=source()).value["tools_generated"] == 5
    assert len(names(data)) == 5


def test_a_warning_is_said_beside_the_result(data: Path) -> None:
    odd = json.loads(source())
    reference = {"$ref": "http://elsewhere.example/schema.json"}
    odd["paths"]["/text"]["get"]["parameters"] = [{"name": "q", "in": "query", "schema": reference}]
    ended = import_(data, "-", stdin=json.dumps(odd).encode())
    assert ended.code == 0
    assert "warning: #/paths/~1text/get" in ended.err
    assert "warning" not in ended.out
    as_json = import_(data, "-", "-o", "json", stdin=json.dumps(odd).encode())
    assert as_json.value["warnings"][0]["location"].startswith("#/paths/~1text/get")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("none.json", "No such file"),
        ("", "Is a directory"),
        (".", "Is a directory"),
        ("file/below", "Not a directory"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    live: Path, what: str, reason: str
) -> None:
    Path("file").write_text("")
    refused = import_(live, what)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert f"cannot be read: {reason}" in refused.error["message"]


def test_an_endless_file_is_not_read_to_its_end(live: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        os.truncate(file.fileno(), 10**12)
    refused = import_(live, large)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "larger than 20,971,520 bytes" in refused.error["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html></html>", "HTML"),
        (b'{"swagger": "2.0", "paths": {"/a": {}}}', "Swagger"),
        (b"openapi: 3.1.0\ninfo: [", "at line 3"),
    ],
)
def test_a_document_that_cannot_be_used_says_why_and_changes_nothing(
    live: Path, content: bytes, words: str
) -> None:
    refused = import_(live, "-", stdin=content)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert words in refused.error["message"]
    assert names(live) == []


def test_a_person_is_shown_the_line_of_a_mistake(live: Path) -> None:
    refused = import_(live, "-", stdin=b"openapi: 3.1.0\ninfo: [", terminal=True)
    assert refused.code == 2
    assert "  line 3, #: not valid YAML" in refused.err


def test_a_bundle_whose_name_fits_no_url_is_refused(live: Path, file: Path) -> None:
    refused = run("import", "openapi", file, "--bundle", "my bundle", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "letters, digits" in refused.error["message"]


def test_a_tool_of_another_bundle_is_not_taken_over(live: Path) -> None:
    refused = import_(live, "-", stdin=source(""))
    assert (refused.code, refused.error["code"]) == (2, "E2012")
    assert names(live) == []


def test_the_address_of_the_service_can_be_given(data: Path, file: Path) -> None:
    given = import_(data, file, "--base-url", "https://api.example/v2", "-o", "json").value
    assert given["base_url"] == "https://api.example/v2"
    refused = import_(data, file, "--base-url", "api.example")
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "base URL" in refused.error["message"]


class Documents(Quiet):
    """Serves a document, a way to it, and what is none."""

    def do_GET(self) -> None:
        if self.path == "/openapi.json":
            self.reply(source())
        elif self.path == "/moved":
            self.reply(b"", 302, Location="/openapi.json")
        elif self.path == "/round":
            self.reply(b"", 302, Location="/round")
        elif self.path == "/large":
            self.reply(b" " * 20_971_521)
        else:
            self.reply(b"nothing here", 404, "text/plain")


def test_a_document_comes_from_an_address(live: Path) -> None:
    with answering(Documents) as url:
        for path in ("openapi.json", "moved"):
            found = import_(live, f"{url}/{path}", "--dry-run", "-o", "json").value
            assert found["tools_generated"] == 5


def test_an_address_without_a_document_says_so(live: Path) -> None:
    with answering(Documents) as url:
        missing, large = import_(live, f"{url}/x"), import_(live, f"{url}/large")
        around = import_(live, f"{url}/round")
    assert (missing.code, missing.error["code"]) == (4, "E5004")
    assert f"{url}/x answered HTTP 404" in missing.error["message"]
    assert (large.code, large.error["code"]) == (2, "E2001")
    assert "larger than" in large.error["message"]
    assert (around.code, around.error["code"]) == (4, "E5004")
    after = import_(live, f"{url}/openapi.json")
    assert (after.code, after.error["code"]) == (4, "E5004")
    assert "cannot be fetched" in after.error["message"]


@pytest.mark.parametrize("url", ["http://", "http://[::1", "https://h:x/", "http://a b/"])
def test_an_address_that_is_none_is_an_error(live: Path, url: str) -> None:
    refused = import_(live, url)
    assert refused.code == 4
    assert url in refused.error["message"]
