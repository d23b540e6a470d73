"""From entries to settings: references replaced, texts typed, every fault collected."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bascule.settings.consistency import RULES
from bascule.settings.entry import Entry, Layer
from bascule.settings.inventory import Setting, inventory, sections
from bascule.settings.model import Section, Settings
from bascule.settings.problem import Problem
from bascule.settings.references import ReferenceFailed, Resolver
from bascule.settings.suggestion import closest


class Validation:
    """Builds the settings from the winning entry of each key; `problems` says what is wrong.

    References in entries of files are looked up in `environ`, and relative to `directory`.
    """

    def __init__(
        self, entries: Mapping[str, Entry], environ: Mapping[str, str], directory: Path
    ) -> None:
        self._entries = entries
        self._resolver = Resolver(environ, directory)
        self._faulty: set[str] = set()
        self.problems: list[Problem] = []

    def run(self) -> Settings:
        """The settings; to be used only where `problems` stays empty."""
        members: dict[str, dict[str, object]] = {name: {} for name in sections()}
        for key, setting in inventory().items():
            entry = self._entries.get(key)
            if entry is not None:
                value = self._value(setting, entry)
                if value is not None:
                    members[setting.section][setting.name] = value
        built = {name: self._section(name, members[name]) for name in members}
        settings = Settings.model_construct(**cast("dict[str, Any]", built))
        for rule in RULES:
            if not rule.keys & self._faulty:
                self._contradiction(rule.check(settings))
        return settings

    def _value(self, setting: Setting, entry: Entry) -> str | list[str] | None:
        texts = self._texts(entry)
        if len(texts) < len(entry.texts):
            return None
        if setting.is_list:
            return texts if entry.is_list else _split(texts[0])
        if entry.is_list:
            what = f"{entry.name} takes one value, not a list."
            return self._fault(Problem(entry.place, setting.key, what, "Write the value alone."))
        return texts[0]

    def _texts(self, entry: Entry) -> list[str]:
        """The texts with references replaced; those that lead nowhere are left out."""
        if entry.layer is not Layer.FILE:
            return list(entry.texts)
        texts: list[str] = []
        for text, place in zip(entry.texts, entry.text_places, strict=True):
            try:
                texts.append(self._resolver.expand(text))
            except ReferenceFailed as failure:
                self._fault(Problem(place, entry.key, failure.what, failure.remedy))
        return texts

    def _fault(self, problem: Problem) -> None:
        self._faulty.add(problem.key)
        self.problems.append(problem)

    def _section(self, name: str, values: dict[str, object]) -> Section:
        model = sections()[name]
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                self._mistyped(name, detail)
            sound = {key: values[key] for key in values if f"{name}.{key}" not in self._faulty}
            return model.model_validate(sound)

    def _mistyped(self, section: str, detail: ErrorDetails) -> None:
        location: Sequence[int | str] = detail["loc"]
        setting = inventory()[f"{section}.{location[0]}"]
        entry = self._entries[setting.key]
        index = location[1] if len(location) > 1 and isinstance(location[1], int) else 0
        # One text may hold several items, apart by commas.
        index = min(index, len(entry.texts) - 1)
        what, remedy = _explanation(setting, entry, index, detail)
        self._fault(Problem(entry.text_places[index], setting.key, what, remedy))

    def _contradiction(self, found: Any) -> None:
        if found is not None:
            entry = self._entries.get(found.key)
            place = entry.place if entry else "default"
            self.problems.append(Problem(place, found.key, found.what, found.remedy))


def _split(text: str) -> list[str]:
    return [item for part in text.split(",") if (item := part.strip())]


def _explanation(
    setting: Setting, entry: Entry, index: int, detail: ErrorDetails
) -> tuple[str, str]:
    if detail["type"] == "bascule":
        context = detail.get("ctx", {})
        return f"{entry.name} {context['what']}.", str(context["remedy"])
    said = "has a value that" if setting.is_secret else f"is {entry.shown(index)}, which"
    what = f"{entry.name} {said} is not {setting.accepts}."
    meant = closest(entry.texts[index], setting.choices)
    if meant:
        return what, f"Did you mean {meant}?"
    return what, f"Correct it, or remove it for the default, {json.dumps(setting.default)}."
