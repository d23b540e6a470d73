"""The list of all settings, read off the model: their names everywhere a name is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, cast

from pydantic import Secret

from bascule.settings.model import Section, Settings
from bascule.telemetry.redaction import is_secret_name

PREFIX: Final = "BASCULE_"
_SECTIONS_NAMED_BY_FLAGS_ALONE: Final = frozenset({"app", "server", "observability"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `default` is JSON-able and masked; `accepts` describes what may be given."""

    section: str
    name: str
    default: object
    meaning: str
    unit: str
    accepts: str
    choices: tuple[str, ...]
    is_list: bool
    is_secret: bool
    needs_restart: bool

    @property
    def key(self) -> str:
        """The name in files, messages and flag mappings: `section.name`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.section}__{self.name}".upper()

    @property
    def flag(self) -> str:
        """Its command-line flag; sections other than app, server and observability are named."""
        bare = self.section in _SECTIONS_NAMED_BY_FLAGS_ALONE
        return "--" + (self.name if bare else f"{self.section}_{self.name}").replace("_", "-")


def sections() -> dict[str, type[Section]]:
    """Each section by name, in the order of the file."""
    return {
        name: cast("type[Section]", field.annotation)
        for name, field in Settings.model_fields.items()
    }


@cache
def inventory() -> Mapping[str, Setting]:
    """Every setting by key, in the order of the model."""
    found: dict[str, Setting] = {}
    for section, model in sections().items():
        schemas = cast("dict[str, dict[str, Any]]", model.model_json_schema().get("properties", {}))
        for name, schema in schemas.items():
            setting = _setting(section, name, model, schema)
            found[setting.key] = setting
    return MappingProxyType(found)


def _setting(section: str, name: str, model: type[Section], schema: dict[str, Any]) -> Setting:
    facts = cast("dict[str, Any]", schema["x-setting"])
    default = model.model_fields[name].default
    return Setting(
        section=section,
        name=name,
        default=plain(default),
        meaning=str(schema["description"]),
        unit=str(facts["unit"]),
        accepts=str(facts["accepts"]) or _accepts(schema),
        choices=_choices(schema),
        is_list=schema["type"] == "array",
        is_secret=isinstance(default, Secret) or is_secret_name(name),
        needs_restart=not facts["reloads"],
    )


def plain(value: object) -> object:
    """`value` of a setting as JSON knows it; secrets come out masked."""
    if isinstance(value, Secret):
        return str(cast("Secret[str]", value))
    if isinstance(value, tuple):
        return [plain(item) for item in cast("tuple[object, ...]", value)]
    return value


def _choices(schema: dict[str, Any]) -> tuple[str, ...]:
    return tuple(schema.get("enum", ())) or ((schema["const"],) if "const" in schema else ())


def _accepts(schema: dict[str, Any]) -> str:
    choices = _choices(schema)
    if choices:
        return f"one of {', '.join(choices)}" if choices[1:] else choices[0]
    if schema["type"] == "boolean":
        return "true or false"
    if schema["type"] == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if "exclusiveMinimum" in schema:
        return f"a number above {schema['exclusiveMinimum']:g}, at most {schema['maximum']:g}"
    return f"a number from {schema['minimum']:g} to {schema['maximum']:g}"
