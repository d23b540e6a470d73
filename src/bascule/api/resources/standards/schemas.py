"""Metadata standards as the REST API shows them."""

from typing import Annotated

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.catalogue.standards import Field as Asked
from bascule.gateway.tool import ToolStatus

_Values = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1, max_length=500)
]


class Standard(Body):
    """What a tool needs before it is published.

    `required` fields must not be empty, there must be `minimum_tags`, and of the fields in
    `allowed` only these values are accepted.
    """

    required: Annotated[list[Asked], Field(max_length=len(Asked), default_factory=list)]
    minimum_tags: Annotated[int, Field(ge=0, le=50)] = 0
    allowed: Annotated[dict[Asked, _Values], Field(max_length=3, default_factory=dict)]


class Violation(BaseModel):
    """What one version of a tool lacks."""

    tool: str
    version: str
    bundle: str
    status: ToolStatus
    field: Asked
    message: str


class ViolationList(BaseModel):
    """What tools lack, by name; `total` counts all, `checked` the versions that were looked at."""

    violations: list[Violation]
    total: int
    checked: int
