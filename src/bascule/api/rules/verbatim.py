"""JSON that is kept as text goes into answers as it is: to read megabytes of it first, and write
them again, would keep everybody else waiting."""

import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec
from fastapi import Response
from pydantic import BaseModel, PlainSerializer, SerializationInfo

_read: Final = msgspec.json.decode


@dataclass(slots=True)
class _Noted:
    """Texts that were left out, and the mark that stands where they belong.

    Nobody can write it into a policy, as it is drawn for one answer.
    """

    mark: str
    texts: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> str:
        self.texts.append(text)
        return f"{self.mark}{len(self.texts) - 1}"


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON text that somebody has checked."""

    text: str


def _written(value: object, info: SerializationInfo) -> Any:
    if not isinstance(value, JsonText):
        return value
    context: Any = info.context
    return context.note(value.text) if isinstance(context, _Noted) else _read(value.text)


Verbatim = Annotated[Any, PlainSerializer(_written, return_type=Any)]
"""A value, or a JSON text in place of one."""


def answer(model: BaseModel, status_code: int = 200) -> Response:
    """The response that says `model`, with each JSON text in it as it is."""
    noted = _Noted(secrets.token_hex(16))
    told = model.model_dump_json(by_alias=True, context=noted)
    for number, text in enumerate(noted.texts):
        told = told.replace(f'"{noted.mark}{number}"', text)
    return Response(told, status_code, media_type="application/json")
