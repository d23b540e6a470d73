"""What somebody probably meant by a name that does not exist."""

from typing import Final

from rapidfuzz import fuzz, process

from bascule.settings.entry import Entry
from bascule.settings.inventory import Setting, inventory, sections
from bascule.settings.problem import Problem

_CLOSE_ENOUGH: Final = 72
_IN_A_URL: Final = {
    "database": frozenset({"host", "port", "name", "user", "username", "password", "driver"}),
    "redis": frozenset({"host", "port", "db", "user", "username", "password"}),
}


def unknown(entry: Entry) -> Problem | None:
    """The problem with `entry` where no setting has its key; its value is never quoted."""
    if entry.key in inventory():
        return None
    return Problem(entry.place, entry.key, f"There is no setting {entry.name}.", _remedy(entry))


def unknown_section(name: str, place: str) -> Problem | None:
    """The problem with a section called `name`, where there is none; its keys may be faulty too."""
    if name in sections():
        return None
    meant = closest(name, tuple(sections()))
    remedy = f"Did you mean {meant}?" if meant else _section_names()
    return Problem(place, name, f"There is no section {name}.", remedy)


def closest(word: str, choices: tuple[str, ...]) -> str | None:
    """The one of `choices` that `word` may be a slip of."""
    found = process.extractOne(word.lower(), choices, scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    return found[0] if found else None


def _remedy(entry: Entry) -> str:
    section, _, name = entry.key.partition(".")
    if name in _IN_A_URL.get(section, ()):
        url = inventory()[f"{section}.url"]
        return f"Give the connection as one URL: {entry.layer.spelling(url)}."
    meant = _meant(section, name)
    if meant is not None:
        return f"Did you mean {entry.layer.spelling(meant)}?"
    if section in sections():
        names = [
            entry.layer.spelling(one) for one in inventory().values() if one.section == section
        ]
        return f"There are {', '.join(names)}."
    return _section_names()


def _section_names() -> str:
    return f"The sections are {', '.join(sections())}."


def _meant(section: str, name: str) -> Setting | None:
    known = inventory()
    siblings = tuple(one.name for one in known.values() if one.section == section)
    sibling = closest(name, siblings)
    if sibling is not None:
        return known[f"{section}.{sibling}"]
    namesakes = [one for one in known.values() if one.name == name]
    if len(namesakes) == 1:
        return namesakes[0]
    key = closest(f"{section}.{name}", tuple(known))
    return known[key] if key else None
