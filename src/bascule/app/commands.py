"""Commands of MCP servers: shown, in the log and in the journal, before they run."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Final

import structlog

from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.telemetry.redaction import REDACTED, is_secret_name, redact_text

_ASSIGNMENT: Final = re.compile(r"((?:-e|--env=)?[A-Za-z_][A-Za-z0-9_.-]*=).+", re.DOTALL)
_OPTION: Final = re.compile(r"(--?([A-Za-z][A-Za-z0-9_.-]*)=).+", re.DOTALL)
_SECRET_OPTIONS: Final = frozenset({"auth", "bearer", "key", "pass", "pat"})
"""Names of options that hold secrets, besides those that name one wherever they stand."""
_HEADER_OPTIONS: Final = frozenset({"-H", "--header"})
_HEADER: Final = re.compile(r"((?:-H|--header=)?[A-Za-z0-9-]+:\s*).+", re.DOTALL)
_ACCOUNT_OPTIONS: Final = frozenset({"-u", "--user"})
_ACCOUNT: Final = re.compile(r"([^:]+:)(?!\d+\Z).+", re.DOTALL)
_CODE_OPTION: Final = re.compile(r"-[A-Za-z]*c|--eval|/[cC]|-[Cc]ommand")
_TAKE_CODE_AFTER_E: Final = frozenset(
    {"bun", "deno", "elixir", "julia", "lua", "node", "nodejs", "perl", "ruby"}
)
"""Programs whose option -e is followed by code; with others it is a variable more often."""
_ASSIGNED_IN_CODE: Final = re.compile(
    r"(?<![\w$])([A-Z][A-Z0-9_]{2,}=)(?:\"[^\"$`]+\"|'[^']+'|[^\s;&|()<>$`\"']+)"
)
_IN_URL: Final = (
    re.compile(r"(https?://)[^\s/@:?#]+(?=@)"),
    re.compile(r"([?&][\w.-]{0,64}?(?:auth|code|credential|key|pat|signature)=)[^&\s#\"']+"),
)

_log = structlog.get_logger(__name__)


class Commands:
    """Shows each command before it runs for the first time in this process.

    Whoever configured it, over REST, at the command line or in a file, an operator finds there
    what was started, word for word.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        """Without `recorder`, for who runs a command for themselves, there is the log alone."""
        self._recorder = recorder
        self._ids = Identifiers()

    async def show(self, tenant: str, server: str, argv: tuple[str, ...]) -> None:
        """Return once it is written down that `argv`, the program's path first, is to run.

        Raises:
            RecordingFailed: it could not be recorded, so it must not run.
        """
        words = shown_words(argv)
        _log.info("upstream.starting", tenant=tenant, upstream=server, command=words)
        if self._recorder is not None:
            await self._recorder.append(
                AuditRecord(
                    event_id=self._ids.next(),
                    timestamp=datetime.now(UTC),
                    event_type=EventType.LIFECYCLE,
                    action="server.start",
                    status=Status.SUCCESS,
                    correlation_id=self._ids.next(),
                    tenant=tenant,
                    metadata={"target": server, "command": words},
                )
            )


def shown_words(argv: Sequence[str]) -> list[str]:
    """`argv` word for word, but for secrets that can be told by form, and environment values.

    Of NAME=value only the name is shown, of an option with a secret's name not its value, of a
    header its name. Code that an interpreter is given stays readable: only what it assigns to
    names in capitals is left out, or a command would be hidden behind an assignment.
    """
    runs_code = not _TAKE_CODE_AFTER_E.isdisjoint(PurePath(word).name for word in argv)
    befores = ("", *argv)
    return [
        _shown_after(before, word, runs_code=runs_code)
        for before, word in zip(befores, argv, strict=False)
    ]


def _shown_after(before: str, word: str, *, runs_code: bool) -> str:
    name = before.lstrip("-")
    if name != before and "=" not in before and _is_secret(name):
        return REDACTED
    if _CODE_OPTION.fullmatch(before) or (runs_code and before == "-e"):
        return _without_credentials(_ASSIGNED_IN_CODE.sub(_name_alone, word))
    if before in _ACCOUNT_OPTIONS and (account := _ACCOUNT.fullmatch(word)):
        return account[1] + REDACTED
    is_header = before in _HEADER_OPTIONS or word.startswith(("-H", "--header="))
    if is_header and (header := _HEADER.fullmatch(word)):
        return header[1] + REDACTED
    return _shown_word(word)


def _shown_word(word: str) -> str:
    assigned = _ASSIGNMENT.fullmatch(word)
    if assigned is not None:
        return assigned[1] + REDACTED
    option = _OPTION.fullmatch(word)
    if option is not None and _is_secret(option[2]):
        return option[1] + REDACTED
    return _without_credentials(word)


def _is_secret(name: str) -> bool:
    return name.lower() in _SECRET_OPTIONS or is_secret_name(name)


def _without_credentials(text: str) -> str:
    for pattern in _IN_URL:
        text = pattern.sub(_name_alone, text)
    return redact_text(text)


def _name_alone(found: re.Match[str]) -> str:
    return found[1] + REDACTED
