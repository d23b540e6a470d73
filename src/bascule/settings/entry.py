"""One value somebody gave, whatever the layer it was given in."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bascule.settings.inventory import Setting

_LONGEST_SHOWN: Final = 60


class Layer(Enum):
    """Where values come from, weakest first."""

    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"

    def spelling(self, setting: Setting) -> str:
        """How `setting` is called in this layer."""
        if self is Layer.ENVIRONMENT:
            return setting.variable
        return setting.flag if self is Layer.FLAG else setting.key


@dataclass(frozen=True, slots=True)
class Entry:
    """`texts` as given, references not yet replaced; one text unless `is_list`.

    `name` is the setting as its giver spelled it. `source` is what `config show` says;
    `place` and `text_places` are where a fault in the name or in a text is to be mended.
    """

    key: str
    name: str
    layer: Layer
    texts: tuple[str, ...]
    is_list: bool
    source: str
    place: str
    text_places: tuple[str, ...]

    @property
    def section(self) -> str:
        """The part of the key before the first dot."""
        return self.key.partition(".")[0]

    def shown(self, index: int = 0) -> str:
        """Text `index`, quoted and shortened. Not for secrets."""
        text = self.texts[index]
        return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def given(layer: Layer, key: str, name: str, value: object) -> Entry:
    """An entry from outside any file: `value` is text, or a flag's number, boolean or sequence."""
    is_list = isinstance(value, list | tuple)
    texts = tuple(_text(item) for item in value) if is_list else (_text(value),)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    where = f"{layer.value} {name}"
    return Entry(key, name, layer, texts, is_list, where, where, (where,) * len(texts))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
