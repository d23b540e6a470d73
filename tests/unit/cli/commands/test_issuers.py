"""`issuers`: added with a line, tried, and tokens explained without being shown to anybody."""

import json
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import typer

from fakes.issuers import claims_of, key_for, public, sign
from unit.cli.shell import answering, run

ISSUER = "https://id.example"


class Provider(BaseHTTPRequestHandler):
    """An issuer with one key."""

    def do_GET(self) -> None:
        url = f"http://{self.headers['host']}"
        answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
            "/keys": {"keys": [public("RS256")]},
        }
        body = json.dumps(answers.get(self.path)).encode()
        self.send_response(200 if self.path in answers else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def add(data: Path, *options: str, issuer: str = ISSUER):
    given = ("add", "id", "--issuer", issuer, *options)
    return run("issuers", *given, "--data", data, "-o", "json")


def test_an_issuer_is_added_listed_shown_and_removed(data: Path) -> None:
    made = add(
        data,
        *("--audience", "api://x", "--role-map", "CN=Staff,DC=x=user", "--role-map", "boss=admin"),
        *("--default-role", "viewer", "--scope", "read=tools:list", "--role-claim", "teams"),
        *("--require", "tid=a", "--require", "tid=b", "--require", "oid", "--algorithm", "PS256"),
        *("--tenant-claim", "org", "--tenant-map", "o1=default", "--subject-claim", "oid"),
    ).value
    assert made["role_map"] == {"CN=Staff,DC=x": ["user"], "boss": ["admin"]}
    assert made["required_claims"] == {"tid": ["a", "b"], "oid": []}
    assert made["scopes"] == {"read": ["tools:list"]}
    assert (made["roles_claims"], made["tenants"]) == (["teams"], {"o1": "default"})
    listed = run("issuers", "list", "--data", data)
    assert listed.out.splitlines()[1].startswith("id ")
    assert run("issuers", "show", "id", "--data", data, "-o", "json").value == made
    gone = run("issuers", "remove", "id", "--data", data, "-o", "json")
    assert gone.value == {"removed": "id"}


def test_how_keys_stand_is_listed(data: Path) -> None:
    add(data)
    found = run("issuers", "status", "--data", data, "-o", "json").value
    (one,) = found["issuers"]
    assert (one["name"], one["issuer"], one["is_active"], found["total"]) == ("id", ISSUER, True, 1)
    assert (one["key_set"]["keys"], one["key_set"]["is_stale"]) == (0, False)
    table = run("issuers", "status", "--data", data).out.splitlines()
    assert table[0].split()[:5] == ["name", "is_active", "keys", "is_stale", "age_seconds"]
    assert table[1].split()[:4] == ["id", "yes", "0", "no"]


def test_an_issuer_is_replaced_when_that_is_said(data: Path) -> None:
    add(data)
    assert "exists already" in add(data).error["message"]
    assert add(data, "--replace", "--audience", "x").value["audiences"] == ["x"]


@pytest.mark.parametrize(
    ("option", "value"), [("--role-map", "staff"), ("--scope", "=x"), ("--tenant-map", "x=")]
)
def test_what_is_no_pair_is_refused(data: Path, option: str, value: str) -> None:
    ended = add(data, option, value)
    assert ended.code == 2
    assert option in ended.err


def test_a_mistake_comes_with_what_to_write(data: Path) -> None:
    ended = add(data, "--preset", "auth0", issuer="https://acme.auth0.com")
    assert "https://acme.auth0.com/" in ended.error["message"]


def test_an_issuer_is_tried_and_a_token_of_it_explained(data: Path) -> None:
    with answering(Provider) as url:
        add(data, "--audience", "x", "--role-map", "staff=user", issuer=url)
        tried = run("issuers", "test", "id", "--data", data, "-o", "json").value
        assert [one["key_id"] for one in tried["keys"]] == ["k0"]
        now = time.time()
        claims = claims_of(iss=url, aud="x", iat=now, exp=now + 60)
        token = sign({"alg": "RS256", "kid": "k0"}, claims, key_for("RS256"))
        told = run(
            "issuers", "explain", "id", "--data", data, "-o", "json", stdin=f"{token}\n".encode()
        )
        assert told.value["bearer"]["subject"] == "id:ann"
        table = run("issuers", "explain", "id", "--data", data, stdin=token.encode())
        assert "Accepted." in table.out
        assert token not in told.out + table.out


def test_an_issuer_that_does_not_answer_fails_the_command(data: Path) -> None:
    add(data, issuer="http://127.0.0.1:9")
    ended = run("issuers", "test", "id", "--data", data, "-o", "json")
    assert ended.code == 4
    assert not json.loads(ended.out)["ok"]


def test_a_token_is_asked_for_on_a_terminal(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(data)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: " a.b.c ")
    monkeypatch.setattr("bascule.cli.commands.issuers._is_asked", lambda: True)
    told = run("issuers", "explain", "id", "--data", data, "-o", "json")
    assert told.value["reason"] == "malformed"


@pytest.mark.parametrize("stdin", [b"", b"\n", b"\xff", b"x" * 20_001])
def test_what_is_no_token_is_refused(data: Path, stdin: bytes) -> None:
    ended = run("issuers", "explain", "id", "--data", data, stdin=stdin)
    assert ended.code == 2
    assert "standard input" in ended.err
