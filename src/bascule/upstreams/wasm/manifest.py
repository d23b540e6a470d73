"""What tools a module has: by a document beside it, or by its custom section `bascule.tools`."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

import msgspec
import yaml

from bascule.gateway.errors import InvalidValue
from bascule.gateway.tool import RiskLevel
from bascule.upstreams.wasm.sections import NotAModule, custom_section

SECTION: Final = "bascule.tools"
_MOST_BYTES: Final = 1_048_576
_DEEPEST: Final = 64
_REMEDY: Final = (
    "Give a manifest, or put it into the custom section bascule.tools: "
    '{"tools": [{"name": "…", "export": "…", "description": "…", "input_schema": {…}}]}'
)


def _no_arguments() -> Mapping[str, object]:
    return {"type": "object", "additionalProperties": False}


class ModuleTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One exported function as a tool. Without `export` the function is called like the tool."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    description: Annotated[str, msgspec.Meta(max_length=500)] = ""
    export: str = ""
    title: str | None = None
    input_schema: Mapping[str, object] = msgspec.field(default_factory=_no_arguments)
    output_schema: Mapping[str, object] | None = None
    risk_level: RiskLevel = RiskLevel.READ
    idempotent: bool = True
    tags: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        """The name of the exported function."""
        return self.export or self.name


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All tools of a module, and what it is called."""

    tools: Annotated[tuple[ModuleTool, ...], msgspec.Meta(min_length=1, max_length=1000)]
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    version: Annotated[str, msgspec.Meta(max_length=50)] = "1"


def read_manifest(module: bytes, given: bytes | None) -> Manifest:
    """The manifest of `module`: `given` as JSON or YAML, or the one inside.

    Raises:
        InvalidValue: there is none, or it cannot be used, or `module` is none; says where.
    """
    # Also where a manifest is given: what compiles modules would take their text form as well.
    inside = _inside(module)
    field, text = ("manifest", given) if given is not None else ("file", inside)
    if text is None:
        raise InvalidValue(f"Nothing says what tools the module has. {_REMEDY}",
                           details={"field": "manifest"})  # fmt: skip
    if len(text) > _MOST_BYTES:
        raise InvalidValue("A manifest has at most 1 MiB.", details={"field": field})
    try:
        return msgspec.convert(_loaded(text.decode()), Manifest)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidValue(
            f"The manifest cannot be used: {reason}. {_REMEDY}", details={"field": field}
        ) from None


def _loaded(text: str) -> object:
    """`text` as values, which are no more than it has characters.

    Raises:
        ValueError: aliases would make much of little, or it is nested too deep.
    """
    depth = 0
    parser: Any = yaml.SafeLoader(text)
    while parser.check_event():
        event: yaml.Event = parser.get_event()
        if isinstance(event, yaml.AliasEvent):
            # Not of a wrong type: of a form that is not accepted.
            raise ValueError(  # noqa: TRY004
                "aliases (*name) are not read here; write the value itself"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
    return cast("object", yaml.safe_load(text))


def _inside(module: bytes) -> bytes | None:
    try:
        return custom_section(module, SECTION)
    except NotAModule as error:
        raise InvalidValue(
            f"The file is no WebAssembly module in binary form: {error}.",
            details={"field": "file"},
        ) from None
