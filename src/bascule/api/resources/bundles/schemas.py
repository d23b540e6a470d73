"""Bundles as the REST API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bascule.api.names import BundleName


class BundleCreate(BaseModel):
    """A bundle to make. Without an owner it is its maker's."""

    model_config = ConfigDict(extra="forbid")

    name: BundleName
    description: Annotated[str, Field(max_length=2000)] = ""
    owner: Annotated[str, Field(max_length=100)] = ""


class Bundle(BaseModel):
    """A named selection of tools."""

    name: str
    description: str
    version: str
    owner: str
    status: str
    created_at: datetime
    updated_at: datetime


class BundleList(BaseModel):
    """Every bundle of the tenant."""

    bundles: list[Bundle]
    total: int
