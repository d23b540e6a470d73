"""The look of the chat, read from a file of the operator."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import yaml

from bascule.api.assistant import Look, QuickAction
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.settings.assistant import Chat

_MOST_BYTES: Final = 262_144
_MOST_ITEMS: Final = 50
_LONGEST: Final = {"name": 100, "greeting": 2000, "id": 64, "label": 100, "prompt": 2000}
_COLOUR: Final = re.compile(
    r"#[0-9a-fA-F]{3,8}|[a-z]{1,30}|(rgb|hsl|oklch)a?\([0-9a-z.,%/ ]{1,60}\)"
)
_COLOUR_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")


class ThemeUnusable(GatewayError):
    """The file that `chat.theme_file` names cannot be used; the message says why."""

    error = ErrorCode.UNAVAILABLE


def read_look(chat: Chat) -> Look:
    """The look that the settings name.

    Raises:
        ThemeUnusable: the file cannot be read, or says what no look has.
    """
    if not chat.theme_file:
        return Look(name=chat.name)
    path = Path(chat.theme_file)
    found = _mapping(_document(path), f"{path}")
    actions: object = found.get("quick_actions", [])
    colours = _mapping(found.get("colours") or found.get("colors") or {}, f"{path}: colours")
    if not isinstance(actions, list):
        raise _unusable(f"{path}: quick_actions must be a list.")
    listed = cast("list[object]", actions)
    if len(listed) > _MOST_ITEMS or len(colours) > _MOST_ITEMS:
        raise _unusable(f"{path}: more than {_MOST_ITEMS} quick actions or colours.")
    return Look(
        name=chat.name,
        greeting=_text(found, "greeting", f"{path}", default=""),
        quick_actions=[_action(one, f"{path}: quick_actions") for one in listed],
        theme=_text(found, "name", f"{path}", default=""),
        colours={name: _colour(name, value, f"{path}") for name, value in colours.items()},
    )


def _document(path: Path) -> object:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unusable(f"{path} is larger than {_MOST_BYTES} bytes.")
        return cast("object", yaml.safe_load(path.read_text()))
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror}. Mend the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        why = " ".join(str(error).split())[:300]
        raise _unusable(f"{path} is neither YAML nor JSON: {why}.") from None


def _mapping(found: object, where: str) -> Mapping[str, object]:
    if isinstance(found, Mapping):
        members = cast("Mapping[object, object]", found)
        if all(isinstance(key, str) for key in members):
            return cast("Mapping[str, object]", members)
    raise _unusable(f"{where} must be a mapping of names.")


def _action(found: object, where: str) -> QuickAction:
    action = _mapping(found, where)
    return QuickAction(*(_text(action, name, where) for name in ("id", "label", "prompt")))


def _text(found: Mapping[str, object], name: str, where: str, default: str | None = None) -> str:
    value = found.get(name, default)
    if not isinstance(value, str) or len(value) > _LONGEST[name]:
        raise _unusable(f"{where}: {name} must be a text of at most {_LONGEST[name]} characters.")
    return value


def _colour(name: str, value: object, where: str) -> str:
    """A colour that is nothing else: it ends up in a style sheet."""
    if isinstance(value, str) and _COLOUR.fullmatch(value) and _COLOUR_NAME.fullmatch(name):
        return value
    raise _unusable(f"{where}: the colour {name[:40]!r} must be written as #003D79.")


def _unusable(sentence: str) -> ThemeUnusable:
    return ThemeUnusable(f"chat.theme_file: {sentence}")
