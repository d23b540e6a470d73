"""Arguments of a prompt: texts by name.

Source: specification 2026-07-28, server/prompts and schema.ts GetPromptRequest.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import Listed
from bascule.gateway.verdict import Refuse

_MOST_ARGUMENTS: Final = 100


class _Argument(msgspec.Struct):
    name: str
    required: bool = False


class _Prompt(msgspec.Struct):
    arguments: list[_Argument] | None = None


_decode = msgspec.json.Decoder(_Prompt).decode


def judge_prompt_arguments(call: Call, prompt: Listed | None) -> Refuse | None:
    """Refuse what is no text, too much, or leaves out what `prompt` says is required."""
    arguments: Mapping[str, Any] = call.arguments
    if len(arguments) > _MOST_ARGUMENTS:
        return _refuse(f"there may be up to {_MOST_ARGUMENTS}", "arguments")
    for name, value in arguments.items():
        if not isinstance(value, str):
            return _refuse(f"{name[:100]!r} must be a string", name[:100])
    for name in () if prompt is None else _required(prompt.definition):
        if name not in arguments:
            return _refuse(f"{name!r} is required", name)
    return None


def _required(definition: bytes) -> list[str]:
    try:
        prompt = _decode(definition)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []  # what it asks for cannot be read; its server judges
    return [one.name for one in prompt.arguments or () if one.required]


def _refuse(reason: str, field: str) -> Refuse:
    return Refuse(
        ErrorCode.INVALID_VALUE,
        public=f"params.arguments: {reason}",
        private=f"prompt arguments refused: {reason}",
        details={"field": field},
    )
