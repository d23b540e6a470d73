"""Field types shared by several requests."""

from typing import Annotated, Any, TypeVar

from pydantic import GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

T = TypeVar("T")


class OmitNull:
    """Documents an optional field by what to send: leaving it out is the way to say nothing."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        document = handler(schema)
        (meant,) = (branch for branch in document.pop("anyOf") if branch != {"type": "null"})
        return document | meant


Maybe = Annotated[T | None, OmitNull()]
"""A field that may be left out."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
