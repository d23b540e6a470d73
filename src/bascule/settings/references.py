"""`${NAME}`, `${NAME:default}` and `${file:path}` in the texts of a settings file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE: Final = "file:"
_MOST_FILE_BYTES: Final = 65_536


class ReferenceFailed(Exception):
    """A reference has no value; `what` and `remedy` are sentences without any secret."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Resolver:
    """Looks references up in `environ`, and in files relative to `directory`."""

    environ: Mapping[str, str]
    directory: Path

    def expand(self, text: str) -> str:
        """`text` with its references replaced; `$${` stands for a literal `${`.

        What a reference brings in is not expanded again.

        Raises:
            ReferenceFailed: a reference is malformed or leads nowhere.
        """
        return _REFERENCE.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        inner = found[1]
        if inner is None:
            raise ReferenceFailed(
                f"{_excerpt(found)} has no closing brace.",
                "Write ${NAME}; for a literal ${ write $${.",
            )
        if inner.startswith(_FILE):
            return self._file(inner.removeprefix(_FILE))
        return self._variable(inner)

    def _variable(self, inner: str) -> str:
        name, colon, default = inner.partition(":")
        if not _NAME.fullmatch(name):
            raise ReferenceFailed(
                f"${{{inner}}} does not name an environment variable.",
                "Write ${NAME}, ${NAME:default} or ${file:path}.",
            )
        if name in self.environ:
            return self.environ[name]
        if colon:
            return default
        raise ReferenceFailed(
            f"The environment variable {name} is not set.",
            f"Set {name}, or give a default: ${{{name}:default}}.",
        )

    def _file(self, name: str) -> str:
        path = self.directory / name
        shown = f"${{file:{name}}}"
        try:
            # A pipe or a device could block the start for ever.
            if not name or not path.is_file():
                raise ReferenceFailed(
                    f"{shown} names no file.",
                    "Give the path of a file, absolute or relative to the settings file.",
                )
            with path.open("rb") as file:
                content = file.read(_MOST_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a usable path"
            raise ReferenceFailed(
                f"{shown} cannot be read: {reason}.", "Let this user read the file."
            ) from error
        return _text(content, shown)


def _text(content: bytes, shown: str) -> str:
    if len(content) > _MOST_FILE_BYTES:
        raise ReferenceFailed(
            f"{shown} holds more than {_MOST_FILE_BYTES} bytes.",
            "Name a file with one value in it.",
        )
    try:
        # Editors and `echo` end a file with a newline that is no part of a secret.
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise ReferenceFailed(f"{shown} is not UTF-8 text.", "Save the file as UTF-8.") from error


def _excerpt(found: re.Match[str]) -> str:
    return repr(found.string[found.start() : found.start() + 20])


def literal(text: str) -> str:
    """What `text` says by itself: references count for nothing, their defaults for themselves."""

    def own_words(found: re.Match[str]) -> str:
        inner = found[1] or ""
        return "" if inner.startswith(_FILE) else inner.partition(":")[2]

    return _REFERENCE.sub(own_words, text)
