"""Without an instance, a document is previewed on its own."""

import json
from pathlib import Path

import pytest

from bascule.catalogue.openapi import DocumentRejected
from bascule.cli.connection import Target
from bascule.cli.documents import Upload
from bascule.cli.preview import is_nowhere, preview_here
from unit.cli.shell import Quiet, answering, document


class _Host(Quiet):
    def do_GET(self) -> None:
        """A parameter."""
        self.reply(b'{"name": "q", "in": "query", "schema": {"type": "string"}}')


def test_only_where_nothing_is_there(tmp_path: Path) -> None:
    assert is_nowhere(Target(tmp_path / "none"))
    assert not is_nowhere(Target(tmp_path))
    assert not is_nowhere(Target(tmp_path / "none", url="http://127.0.0.1:1"))


def test_the_answer_is_that_of_a_dry_run() -> None:
    found = preview_here(Upload("a.json", document("http://h")), "b", None, ())
    assert (found["dry_run"], found["published"], found["spec_id"]) == (True, False, None)
    assert found["tools_generated"] == found["diff"]["summary"]["added"] == 5
    assert {one["status"] for one in found["tools"]} == {"draft"}
    live = preview_here(
        Upload("a.json", document("http://h")), "b", "http://x", (), will_publish=True
    )
    assert {one["status"] for one in live["tools"]} == {"active"}
    assert live["base_url"] == "http://x"


def test_other_hosts_are_asked_only_where_they_are_allowed() -> None:
    source = json.loads(document("http://h"))
    with answering(_Host) as url:
        source["paths"]["/text"]["get"]["parameters"] = [{"$ref": f"{url}/q.json"}]
        upload = Upload("a.json", json.dumps(source).encode(), "http://h/a.json")
        allowed = preview_here(upload, "b", None, ["127.0.0.1"])
        text = next(one for one in allowed["tools"] if one["name"] == "text")
        assert list(text["input_schema"]["properties"]) == ["q"]
        refused = preview_here(upload, "b", None, [])
        assert any("--allow-host 127.0.0.1" in one["message"] for one in refused["warnings"])


def test_a_document_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(DocumentRejected):
        preview_here(Upload("a.json", b"[]"), "b", None, ())


def test_what_is_said_of_all_tools_is_in_the_preview() -> None:
    labels = {"owner": "crm", "tags": ["daily"]}
    found = preview_here(Upload("a.json", document("http://h")), "b", None, (), labels=labels)
    assert {"daily"} in [set(one["tags"]) for one in found["tools"]]
