"""How commands end: exit codes, and one error in the form its reader needs."""

import json
from contextlib import redirect_stderr

import pytest
import typer

from bascule.cli.failures import CommandFailed, Exit, exit_code_for, explain, report
from bascule.gateway.errors import (
    AuthRequired,
    ErrorCode,
    Forbidden,
    GatewayError,
    InvalidToken,
    InvalidValue,
    NotFound,
    RecordingFailed,
    UpstreamFailed,
    UpstreamUnreachable,
)
from bascule.settings.problem import Problem, SettingsInvalid
from bascule.storage.errors import DatabaseLocked
from unit.cli.shell import Stream


def reported(failure: CommandFailed, *, terminal: bool = False) -> tuple[Exit, str]:
    stream = Stream(terminal=terminal)
    with redirect_stderr(stream):
        code = report(failure)
    return code, stream.getvalue()


def test_exit_codes_are_what_scripts_rely_on() -> None:
    assert {one.name: int(one) for one in Exit} == {
        "OK": 0,
        "UNEXPECTED": 1,
        "USAGE": 2,
        "AUTHENTICATION": 3,
        "UNREACHABLE": 4,
        "TOOL_ERROR": 5,
        "NOT_PERMITTED": 6,
        "VERIFICATION": 7,
    }


@pytest.mark.parametrize("code", list(ErrorCode), ids=lambda code: code.code)
def test_every_code_has_an_exit_code_of_its_family(code: ErrorCode) -> None:
    expected = {
        "E1": {Exit.AUTHENTICATION, Exit.NOT_PERMITTED},
        "E2": {Exit.USAGE},
        "E3": {Exit.TOOL_ERROR},
        "E4": {Exit.TOOL_ERROR},
        "E5": {Exit.UNEXPECTED, Exit.UNREACHABLE},
    }
    assert exit_code_for(code.code) in expected[code.code[:2]]


@pytest.mark.parametrize("code", ["", "E9999", "nonsense", "-32603"])
def test_a_code_nobody_knows_is_unexpected(code: str) -> None:
    assert exit_code_for(code) is Exit.UNEXPECTED


@pytest.mark.parametrize(
    ("failure", "exit_code"),
    [
        (AuthRequired("x"), Exit.AUTHENTICATION),
        (InvalidToken("x"), Exit.AUTHENTICATION),
        (Forbidden("x"), Exit.NOT_PERMITTED),
        (InvalidValue("x"), Exit.USAGE),
        (NotFound("x"), Exit.USAGE),
        (UpstreamUnreachable("x"), Exit.TOOL_ERROR),
        (UpstreamFailed("x"), Exit.TOOL_ERROR),
        (RecordingFailed("x"), Exit.UNREACHABLE),
        (DatabaseLocked("x"), Exit.UNREACHABLE),
        (GatewayError("x"), Exit.UNEXPECTED),
    ],
)
def test_a_named_failure_keeps_its_name(failure: GatewayError, exit_code: Exit) -> None:
    failure.details = {"field": "a"}
    explained = explain(failure)
    assert explained.exit_code is exit_code
    assert (explained.message, explained.code) == ("x", failure.error.code)
    assert explained.details == {"field": "a"}


def test_a_private_reason_is_not_printed() -> None:
    explained = explain(GatewayError("public", private="the secret"))
    assert "the secret" not in reported(explained)[1]


def test_wrong_settings_are_a_matter_of_usage_and_all_named() -> None:
    problems = [Problem("bascule.yaml:2:1", "server.prot", "What?", "Remedy.")]
    explained = explain(SettingsInvalid(problems))
    assert (explained.exit_code, explained.code) == (Exit.USAGE, "E2004")
    assert "bascule.yaml:2:1: What?" in explained.message
    assert explained.details["problems"] == [
        {"place": "bascule.yaml:2:1", "key": "server.prot", "what": "What?", "remedy": "Remedy."}
    ]


@pytest.mark.parametrize(
    ("said", "printed"), [("No such option.", "No such option."), ("Why", "Why."), ("A?", "A?")]
)
def test_what_the_parser_says_is_a_matter_of_usage(said: str, printed: str) -> None:
    explained = explain(typer.BadParameter(said))
    assert explained.exit_code is Exit.USAGE
    assert explained.message == f"Invalid value: {printed}"


def test_a_bug_asks_to_be_reported_and_says_where_it_is() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 // 0
    explained = explain(caught.value)
    assert (explained.exit_code, explained.code) == (Exit.UNEXPECTED, "E5001")
    assert "ZeroDivisionError: integer division" in explained.message
    code, printed = reported(explained)
    assert code is Exit.UNEXPECTED
    assert "test_failures.py" in str(json.loads(printed)["error"]["details"]["traceback"])
    assert "test_failures.py" in reported(explained, terminal=True)[1]


def test_a_command_s_own_failure_is_already_explained() -> None:
    failure = CommandFailed("x", Exit.VERIFICATION)
    assert explain(failure) is failure


def test_a_program_gets_one_line_of_json() -> None:
    failure = CommandFailed(
        "Größe\nis wrong", Exit.USAGE, code="E2004", details={"a": 1}, correlation_id="c-1"
    )
    code, printed = reported(failure)
    assert code is Exit.USAGE
    assert printed.count("\n") == 1
    assert json.loads(printed) == {
        "error": {
            "code": "E2004",
            "message": "Größe\nis wrong",
            "details": {"a": 1},
            "correlation_id": "c-1",
        }
    }


@pytest.mark.parametrize(
    ("exit_code", "code"),
    [(Exit.USAGE, "E2001"), (Exit.UNREACHABLE, "E5004"), (Exit.UNEXPECTED, "E5001")],
)
def test_a_failure_without_a_code_gets_the_usual_one(exit_code: Exit, code: str) -> None:
    assert CommandFailed("x", exit_code).code == code


def test_what_has_no_code_shows_none() -> None:
    _, printed = reported(CommandFailed("x", Exit.VERIFICATION))
    assert json.loads(printed) == {"error": {"message": "x", "details": {}}}


def test_a_person_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    failure = CommandFailed("[b]No[/] \x1b[2J", Exit.USAGE, code="E2004", correlation_id="c-1")
    _, printed = reported(failure, terminal=True)
    assert printed == ("\x1b[1;31mE2004 error: \x1b[0m[b]No[/] \\x1b[2J\n  correlation id c-1\n")


def test_a_person_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    _, printed = reported(CommandFailed("No.", Exit.VERIFICATION), terminal=True)
    assert printed == "error: No.\n"


def test_a_person_sees_the_places_in_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    findings = [{"location": "#/paths", "line": 3, "message": "wrong"}] + [
        {"location": "#/x", "line": None, "message": "also wrong"}
    ] * 50
    failure = CommandFailed("No.", Exit.USAGE, details={"findings": findings})
    lines = reported(failure, terminal=True)[1].splitlines()
    assert lines[1:3] == ["  line 3, #/paths: wrong", "  line ?, #/x: also wrong"]
    assert len(lines) == 21
