import shutil
from pathlib import Path

import pytest

from bascule.cli.destination import Destination, read_destination, show_command
from bascule.cli.failures import CommandFailed, Exit


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/mcp", "HTTPS://mcp.example/"])
def test_a_url_is_taken_as_it_is(url: str) -> None:
    assert read_destination([url], is_here=True) == Destination(url=url)


def test_a_command_on_the_path_keeps_its_words() -> None:
    found = read_destination(["sh", "-c", "http://x"], is_here=True)
    assert found == Destination(command=("sh", "-c", "http://x"))


def test_an_existing_file_is_a_command_whatever_it_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("server:80").touch()
    assert read_destination(["server:80"], is_here=True).command == ("server:80",)


def test_a_command_for_another_machine_is_not_looked_for_here() -> None:
    assert read_destination(["no-such-command"], is_here=False).command == ("no-such-command",)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["http://h/mcp", "more"], "more cannot follow a URL"),
        (["ftp://h/mcp"], "http or https, not ftp"),
        (["ws://h/mcp"], "http or https, not ws"),
        (["localhost:8080/mcp"], "write http://localhost:8080/mcp"),
        (["mcp.example:80"], "write http://mcp.example:80"),
        (["[::1]:8080/mcp"], r"write http://\[::1\]:8080/mcp"),
        (["no-such-command", "-y"], "no command 'no-such-command' on the PATH"),
        (["mcp.example/mcp"], "with http:// or https:// before it"),
        ([""], "no command ''"),
    ],
)
def test_what_is_neither_is_refused_with_advice(words: list[str], advice: str) -> None:
    with pytest.raises(CommandFailed, match=advice) as failed:
        read_destination(words, is_here=True)
    assert failed.value.exit_code is Exit.USAGE


def test_a_command_is_shown_word_for_word_with_the_program_that_is_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_command(Destination(command=("sh", "-c", "rm $HOME", "\x1b[31m")), is_here=True)
    shown = capsys.readouterr()
    program = shutil.which("sh")
    assert shown.out == ""
    assert shown.err.startswith(f"Runs on this machine, without a shell: {program} -c 'rm $HOME'")
    assert "\x1b" not in shown.err


def test_of_another_machine_the_program_is_shown_as_it_was_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_command(Destination(command=("sh",)), is_here=False)
    assert capsys.readouterr().err == "Runs on the gateway's machine, without a shell: sh\n"


def test_a_url_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show_command(Destination(url="http://127.0.0.1:3000/mcp"), is_here=True)
    assert capsys.readouterr().err == ""
