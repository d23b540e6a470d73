"""A document from a file, a pipe or an address becomes tools; or an error says why not."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

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
    return [f"{tool['name']} {tool['status']}" for tool in found["tools"]]


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
    assert ended.out.splitlines()[0].split() == [
        "name", "version", "change", "method", "path", "risk_level", "title",
    ]  # fmt: skip
    assert "5 tools in bundle b: 5 added. 5 of them are drafts" in ended.err
    listed = run("import", "list", "--bundle", "b", "--data", data, "-o", "json").value
    (made,) = listed["imports"]
    assert listed["total"] == 1
    assert f"bascule import publish {made['id']}" in ended.err
    assert names(data)[0] == "new_broken draft"


def test_published_tools_are_in_force(data: Path, file: Path) -> None:
    ended = import_(data, file, "--publish")
    assert ended.err == "5 tools in bundle b: 5 added. Published.\n"
    assert names(data)[0] == "new_broken active"


def test_a_document_goes_from_draft_to_published_and_back(data: Path, file: Path) -> None:
    import_(data, file, "--publish")
    assert "Nothing was stored" in import_(data, file).err
    later = json.loads(file.read_bytes())
    del later["paths"]["/text"]
    wanted = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    later["paths"]["/rows"]["get"]["parameters"] = [wanted]
    file.write_text(json.dumps(later))
    drafted = import_(data, file)
    assert "1 changed, 1 deprecated, 3 unchanged; 2 breaking, 1 risky." in drafted.err
    assert "1 of them is a draft: publish it with" in drafted.err
    assert "new_rows 1.0.0->2.0.0 input.q: New, and required" in drafted.out
    drafts = run("import", "list", "--data", data, "-o", "json", "--status", "draft").value
    draft = drafts["imports"][0]["id"]
    told = run("import", "diff", draft[:8], "--data", data)
    assert told.out.splitlines()[0] == "breaking (2)"
    assert run("import", "show", draft, "--data", data, "-o", "json").value["status"] == "draft"
    assert "published" in run("import", "publish", draft, "--data", data).out
    assert "new_text deprecated" in names(data)
    assert "rolled_back" in run("import", "rollback", draft, "--data", data).out
    assert "new_text active" in names(data)
    refused = run("import", "discard", draft, "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2012")


def test_a_dry_run_needs_no_instance(file: Path, tmp_path: Path) -> None:
    report = import_(tmp_path / "none", file, "--dry-run", "-o", "json").value
    assert (report["tools_generated"], report["spec_id"]) == (5, None)
    assert not (tmp_path / "none").exists()
    refused = import_(tmp_path / "none", "-", "--dry-run", stdin=b"[]")
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert import_(tmp_path / "none", file).code == 4


def test_what_the_document_has_no_more_can_be_switched_off(data: Path, file: Path) -> None:
    import_(data, file, "--publish")
    later = json.loads(file.read_bytes())
    del later["paths"]["/text"]
    file.write_text(json.dumps(later))
    ended = import_(data, file, "--publish", "--remove-missing")
    assert "1 switched off, 4 unchanged" in ended.err
    assert "new_text inactive" in names(data)


def test_a_draft_that_only_takes_a_tool_away_is_published_too(data: Path, file: Path) -> None:
    import_(data, file, "--publish")
    later = json.loads(file.read_bytes())
    del later["paths"]["/text"]
    file.write_text(json.dumps(later))
    ended = import_(data, file)
    assert "1 deprecated, 4 unchanged; 1 breaking. Nothing of it is in force yet: " in ended.err


@pytest.mark.parametrize("command", ["show", "diff", "publish", "discard", "rollback"])
def test_an_import_that_is_not_there_is_named(live: Path, command: str) -> None:
    refused = run("import", command, "nope", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2011")
    assert refused.error["message"] == "No import nope; see `bascule import list`."
    unknown = str(UUID(int=1))
    assert unknown in run("import", command, unknown, "--data", live).error["message"]
    assert run("import", command, "", "--data", live).error["code"] == "E2011"


class Imports(Quiet):
    """An instance with 150 imports, in pages, of which all ids begin with a or b."""

    def do_GET(self) -> None:
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        ids = [f"{'b' if number == 149 else 'a'}{number:03}" for number in range(150)]
        imports = [{"id": one} for one in ids[(page - 1) * 100 : page * 100]]
        body = {"imports": imports, "total": len(ids), "page": page, "limit": 100}
        self.reply(json.dumps(body).encode(), x_correlation_id="c")

    def do_POST(self) -> None:
        found = {"id": self.path}
        self.reply(json.dumps(found).encode(), x_correlation_id="c")


def test_the_begin_of_an_id_is_enough_where_no_other_begins_so() -> None:
    with answering(Imports) as url:
        done = run("import", "publish", "B", "--url", url, "-o", "json").value
        refused = run("import", "discard", "a14", "--url", url)
        listed = run("import", "list", "--url", url, "-o", "json").value
    assert done == [{"id": "/api/admin/openapi/b149/publish"}]
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert refused.error["message"] == (
        "9 imports begin with a14: a140, a141, a142, a143, a144. Give more of the id."
    )
    assert (len(listed["imports"]), listed["total"]) == (150, 150)


def test_a_grpc_service_is_not_sought_on_the_disk(live: Path) -> None:
    refused = import_(live, "grpc://127.0.0.1:9")
    assert refused.code == 2
    assert "`bascule import grpc grpc://127.0.0.1:9`" in refused.error["message"]


def test_one_tool_is_not_spoken_of_as_many(live: Path) -> None:
    one = json.loads(source())
    one["paths"] = {"/text": one["paths"]["/text"]}
    ended = import_(live, "-", "--dry-run", stdin=json.dumps(one).encode())
    assert ended.err.startswith("1 tool in bundle b: 1 added")
    assert ended.err.endswith(". Nothing was changed.\n")


def test_a_document_comes_from_standard_input(data: Path) -> None:
    assert import_(data, "-", "-o", "json", stdin=source()).value["tools_generated"] == 5
    assert len(names(data)) == 5


def test_a_warning_is_said_beside_the_result(data: Path) -> None:
    odd = json.loads(source())
    reference = {"$ref": "http://elsewhere.example/schema.json"}
    odd["paths"]["/text"]["get"]["parameters"] = [{"name": "q", "in": "query", "schema": reference}]
    ended = import_(data, "-", stdin=json.dumps(odd).encode())
    assert ended.code == 0
    assert "warning: stdin:1: #/paths/~1text/get" in ended.err
    assert "warning" not in ended.out
    as_json = import_(data, "-", "-o", "json", stdin=json.dumps(odd).encode())
    assert as_json.value["warnings"][0]["location"].startswith("#/paths/~1text/get")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("none.json", "No such file"),
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


def test_a_folder_without_a_document_says_so(live: Path) -> None:
    refused = import_(live, ".")
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert ".: None of its files is an OpenAPI document" in refused.error["message"]


def test_an_endless_file_is_not_read_to_its_end(live: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        os.truncate(file.fileno(), 10**12)
    refused = import_(live, large)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "larger than the 52,428,800 bytes" in refused.error["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html></html>", "HTML"),
        (b'{"swagger": "1.2", "paths": {"/a": {}}}', "Swagger"),
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
            self.reply(b" " * 100_001)
        else:
            self.reply(b"nothing here", 404, "text/plain")


def test_a_document_comes_from_an_address(live: Path) -> None:
    with answering(Documents) as url:
        for path in ("openapi.json", "moved"):
            found = import_(live, f"{url}/{path}", "--dry-run", "-o", "json").value
            assert found["tools_generated"] == 5


def test_an_address_without_a_document_says_so(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bascule.catalogue.openapi.syntax.MAX_DOCUMENT_BYTES", 100_000)
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


def test_whose_the_tools_are_can_be_said(data: Path, file: Path) -> None:
    import_(data, file, "--owner", "crm", "--domain", "sales", "--tag", "a", "--tag", "b")
    found = run("tools", "list", "--data", data, "-o", "json").value
    every = found["tools"] if isinstance(found, dict) else found
    rows = [one for one in every if one["name"].startswith("new_")]
    assert {(one["owner"], one["domain"]) for one in rows} == {("crm", "sales")}
    assert ["a", "b"] in [one["tags"] for one in rows]
