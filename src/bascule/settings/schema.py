"""The JSON Schema of `bascule.yaml`, for editors and for checks before a roll-out."""

from typing import Any, Final, cast

from bascule.settings.inventory import Setting, inventory, sections

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = {"type": "string", "pattern": r"\$\{[^{}]+\}"}
_DROPPED: Final = ("x-setting", "title", "writeOnly", "format")


def json_schema() -> dict[str, Any]:
    """The schema of one settings file. A reference may stand wherever a value may."""
    return {
        "$schema": _DIALECT,
        "title": "Bascule settings",
        "description": "The content of bascule.yaml and of its overlays.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {name: _section(name) for name in sections()},
    }


def _section(name: str) -> dict[str, Any]:
    schema = sections()[name].model_json_schema()
    properties = cast("dict[str, dict[str, Any]]", schema.get("properties", {}))
    return {
        "description": schema["description"],
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            key: _value(inventory()[f"{name}.{key}"], one) for key, one in properties.items()
        },
    }


def _value(setting: Setting, schema: dict[str, Any]) -> dict[str, Any]:
    shape = {key: schema[key] for key in schema if key not in (*_DROPPED, "default", "description")}
    unit = f" Unit: {setting.unit}." if setting.unit else ""
    described = {"description": f"{setting.meaning}{unit}", "default": setting.default}
    if shape["type"] == "string" and not {"pattern", "enum", "const"} & shape.keys():
        return {**described, **shape}
    # One item may stand without its list.
    alternatives = [shape, {"type": "string"} if setting.is_list else _REFERENCE]
    return {**described, "anyOf": alternatives}
