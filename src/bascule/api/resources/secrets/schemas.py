"""Secrets as the REST API shows them: everything but what they say."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class SecretValue(BaseModel):
    """What the secret says from now on; it is never given out again."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    value: Annotated[SecretStr, Field(min_length=1, max_length=65_536)]


class Secret(BaseModel):
    """A secret. `used_by` are the services and issuers whose records refer to it."""

    name: str
    version: int
    key_id: str
    created_at: datetime
    updated_at: datetime
    updated_by: str
    used_by: list[str]


class SecretList(BaseModel):
    """Every secret of the tenant."""

    secrets: list[Secret]
    total: int


class SecretRemoved(BaseModel):
    """The secret that is gone."""

    removed: str


class Resealed(BaseModel):
    """How many secrets were encrypted anew, and under which key all of them are now."""

    resealed: int
    key_id: str
