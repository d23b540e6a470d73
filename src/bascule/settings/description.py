"""The settings in force, as a table that is safe to print."""

from dataclasses import dataclass

from bascule.settings.inventory import inventory, plain
from bascule.settings.loading import Loaded


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: `value` is JSON-able and masked, `source` as in `Loaded.sources`."""

    key: str
    value: object
    source: str
    needs_restart: bool


def describe(loaded: Loaded) -> list[Row]:
    """A row for every setting, in the order of the reference."""
    return [
        Row(
            key,
            plain(getattr(getattr(loaded.settings, setting.section), setting.name)),
            loaded.sources[key],
            setting.needs_restart,
        )
        for key, setting in inventory().items()
    ]
