"""Bodies of requests: a field that does not exist is refused, with the one that was meant."""

from typing import Any, Final, Self, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType
from rapidfuzz import fuzz, process

_CLOSE_ENOUGH = 60.0
_LONGEST = 100
_BUILT_IN: Final = frozenset(get_args(ErrorType))


def about(text: str) -> Any:
    """What the OpenAPI document says of a field, in its annotation."""
    return Field(description=text)


class Body(BaseModel):
    """What a request may say, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="wrap")
    @classmethod
    def _with_hints(cls, value: Any, handler: Any) -> Self:
        """Every fault at once, and for a field that is not known the one that is most like it."""
        try:
            return cast("Self", handler(value))
        except ValidationError as faults:
            known = [one.alias or name for name, one in cls.model_fields.items()]
            lines = [_line(cast("dict[str, Any]", one), known) for one in faults.errors()]
            raise ValidationError.from_exception_data(faults.title, lines) from None


def _line(fault: dict[str, Any], known: list[str]) -> InitErrorDetails:
    kind: Any = fault["type"]
    if kind == "extra_forbidden" and len(fault["loc"]) == 1:
        kind = _unknown(str(fault["loc"][0])[:_LONGEST], known)
    elif kind not in _BUILT_IN:  # said by a part of the body, in words of its own
        kind = PydanticCustomError(kind, "{said}", {"said": fault["msg"]})
        return InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"])
    return InitErrorDetails(
        type=kind, loc=fault["loc"], input=fault["input"], ctx=fault.get("ctx", {})
    )


def _unknown(name: str, known: list[str]) -> PydanticCustomError:
    guess = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    hint = f"did you mean {guess[0]}?" if guess else f"there are {', '.join(known)}"
    return PydanticCustomError("unknown_field", "There is no such field; {hint}", {"hint": hint})
