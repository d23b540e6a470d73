"""Reading the settings: defaults, `bascule.yaml`, its overlay, the environment, flags."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bascule.settings.document import Written, read_document
from bascule.settings.entry import Entry, Layer
from bascule.settings.inventory import inventory
from bascule.settings.model import Settings
from bascule.settings.overrides import environment_entries, flag_entries
from bascule.settings.problem import Problem, SettingsInvalid
from bascule.settings.references import ReferenceFailed, Resolver, literal
from bascule.settings.secret import holds_secret
from bascule.settings.suggestion import unknown, unknown_section
from bascule.settings.validation import Validation
from bascule.telemetry.redaction import is_secret_name

FILE_NAME: Final = "bascule.yaml"
DEFAULT: Final = "default"
_MOST_FILE_BYTES: Final = 1_048_576
_ENVIRONMENT_KEY: Final = "app.environment"
_ENVIRONMENT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, where each value came from, and the files that were read.

    `sources` has every key: `default`, `bascule.yaml:12`, `environment NAME` or `flag --name`.
    """

    settings: Settings
    sources: Mapping[str, str]
    files: tuple[Path, ...]


def find_file(directories: Iterable[Path]) -> Path | None:
    """The first `bascule.yaml` in `directories`, in their order."""
    return next((path for one in directories if (path := one / FILE_NAME).is_file()), None)


def load(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Loaded:
    """Settings from `path` (None: no file), its overlay, `environ` and `flags`, weakest first.

    `flags` maps keys such as `server.port` to values; None stands for a flag not given.

    Raises:
        SettingsInvalid: with every problem found, never only the first.
    """
    reading = _Reading()
    above, problems = environment_entries(environ)
    reading.problems += problems
    above += flag_entries(flags or {})
    base = reading.read_file(path) if path is not None else []
    directory = path.parent if path is not None else Path()
    overlay: list[Entry] = []
    if path is not None:
        environment = _environment([*base, *above], Resolver(environ, directory))
        overlay = reading.read_overlay(path, environment)
    winning = reading.merge([*base, *overlay, *above])
    validation = Validation(winning, environ, directory)
    settings = validation.run()
    reading.problems += validation.problems
    if reading.problems:
        raise SettingsInvalid(reading.problems)
    sources = {key: winning[key].source if key in winning else DEFAULT for key in inventory()}
    return Loaded(settings, sources, tuple(reading.files))


def _environment(entries: list[Entry], resolver: Resolver) -> str:
    """Which environment is asked for; "" where that cannot be told, as will be reported."""
    asked = [entry for entry in entries if entry.key == _ENVIRONMENT_KEY]
    if not asked:
        return Settings().app.environment
    text = asked[-1].texts[0] if asked[-1].texts else ""
    try:
        return resolver.expand(text) if asked[-1].layer is Layer.FILE else text
    except ReferenceFailed:
        return ""


class _Reading:
    """Collects entries and problems over all layers."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.files: list[Path] = []

    def read_file(self, path: Path) -> list[Entry]:
        text = self._content(path)
        if text is None:
            return []
        self.files.append(path)
        document = read_document(text, path.name)
        self.problems += document.problems
        entries = [_entry(written) for written in document.written]
        full = {entry.section for entry in entries}
        for name, place in document.sections.items():
            # Of a section with keys, each key says so itself.
            if name not in full and (problem := unknown_section(name, str(place))):
                self.problems.append(problem)
        self.problems += [problem for entry in entries if (problem := _inline_secret(entry))]
        return entries

    def read_overlay(self, base: Path, environment: str) -> list[Entry]:
        """The overlay's entries; it may be missing. It cannot change the environment."""
        # The name becomes part of a path, so nothing but a name may pass.
        if base not in self.files or not _ENVIRONMENT.fullmatch(environment):
            return []
        path = base.with_name(f"{base.stem}.{environment}{base.suffix}")
        if not path.exists():
            return []
        entries = self.read_file(path)
        for entry in entries:
            if entry.key == _ENVIRONMENT_KEY:
                what = f"An overlay cannot set {_ENVIRONMENT_KEY}: it was chosen by it."
                remedy = f"Set it in {base.name} or in BASCULE_APP__ENVIRONMENT."
                self.problems.append(Problem(entry.place, entry.key, what, remedy))
        return entries

    def merge(self, entries: list[Entry]) -> dict[str, Entry]:
        """The last entry of each known key; unknown keys become problems."""
        winning: dict[str, Entry] = {}
        for entry in entries:
            problem = unknown(entry)
            if problem is None:
                winning[entry.key] = entry
            else:
                self.problems.append(problem)
        return winning

    def _content(self, path: Path) -> str | None:
        try:
            if not path.is_file():
                return self._unreadable(path, "there is no such file")
            with path.open("rb") as file:
                content = file.read(_MOST_FILE_BYTES + 1)
            if len(content) > _MOST_FILE_BYTES:
                return self._unreadable(path, f"it is larger than {_MOST_FILE_BYTES} bytes")
            return content.decode("utf-8-sig")
        except OSError as error:
            return self._unreadable(path, error.strerror or type(error).__name__)
        except UnicodeDecodeError as error:
            return self._unreadable(path, f"byte {error.start} is not UTF-8")

    def _unreadable(self, path: Path, reason: str) -> None:
        what = f"{path} cannot be used: {reason}."
        remedy = "Name a YAML file in UTF-8 that this user may read."
        self.problems.append(Problem(path.name, "", what, remedy))


def _entry(written: Written) -> Entry:
    return Entry(
        key=written.key,
        name=written.key,
        layer=Layer.FILE,
        texts=written.texts,
        is_list=written.is_list,
        source=f"{written.key_place.file}:{written.key_place.line}",
        place=str(written.key_place),
        text_places=tuple(str(place) for place in written.text_places),
    )


def _inline_secret(entry: Entry) -> Problem | None:
    """The problem with a secret that stands in the file itself, in a default included."""
    own_words = [literal(text) for text in entry.texts]
    named = is_secret_name(entry.key.rpartition(".")[2]) and any(own_words)
    setting = inventory().get(entry.key)
    held = setting is not None and setting.is_secret and any(map(holds_secret, own_words))
    if not named and not held:
        return None
    return Problem(
        entry.text_places[0],
        entry.key,
        f"{entry.key} holds a secret in the file itself.",
        "Keep it elsewhere and refer to it: ${NAME} for an environment variable, ${file:path} "
        "for a file; not as a default.",
    )
