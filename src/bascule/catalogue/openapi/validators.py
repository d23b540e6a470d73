"""Schemas put to the test: whatever leaves this room compiles the way calls are checked."""

from collections.abc import Mapping
from typing import Final, NoReturn

import jsonschema_rs

from bascule.protocol.schemas import MOST_VISITS, expanded_size

_LONGEST_COMPLAINT: Final = 100
_LINEAR: Final = jsonschema_rs.RegexOptions()


def compile_schema(schema: Mapping[str, object]) -> jsonschema_rs.Validator:
    """Compile a 2020-12 schema; nothing outside it is read, patterns run in linear time.

    Raises:
        ValueError: it is not a usable schema, or checking one value by it could take more than
            `MOST_VISITS` steps; the message is one line.
    """
    if expanded_size(schema, MOST_VISITS) > MOST_VISITS:
        raise ValueError(f"it checks one value against more than {MOST_VISITS:,} subschemas")
    return compile_checked(schema)


def compile_checked(schema: Mapping[str, object]) -> jsonschema_rs.Validator:
    """Compile a schema of which it is known that checking a value by it is bounded.

    Raises:
        ValueError: it is not a usable schema; the message is one line.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), retriever=_refuse, pattern_options=_LINEAR
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(str(error).split("\n", maxsplit=1)[0]) from None


def complaint(error: jsonschema_rs.ValidationError) -> str:
    """Where in a value it is wrong, and what about it; in a line that can be read."""
    way = "/".join(str(step) for step in error.instance_path)
    keyword = next((str(step) for step in reversed(error.schema_path) if isinstance(step, str)), "")
    if len(error.message) <= _LONGEST_COMPLAINT:
        return f"at '/{way[:_LONGEST_COMPLAINT]}': {error.message}"
    return f"at '/{way[:_LONGEST_COMPLAINT]}': the value is not what `{keyword[:40]}` asks for"


class Patterns:
    """Remembers which regular expressions the linear-time engine runs."""

    def __init__(self) -> None:
        self._verdicts: dict[str, bool] = {}

    def run_in_linear_time(self, pattern: str) -> bool:
        """Can `pattern` be checked at all, in time bounded by the length of the text?"""
        verdict = self._verdicts.get(pattern)
        if verdict is None:
            verdict = self._verdicts[pattern] = _compiles(pattern)
        return verdict


def _compiles(pattern: str) -> bool:
    try:
        compile_schema({"pattern": pattern})
    except ValueError:
        return False
    return True


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"references outside the schema are not followed: {uri}")
