"""Policies as the REST API lists them."""

from typing import Annotated

from pydantic import BaseModel

from bascule.api.bodies import about
from bascule.api.rules.bodies import Policy


class PolicyList(BaseModel):
    """Policies of the tenant, the highest priority first; `version` is of all of them together."""

    policies: Annotated[list[Policy], about("The policies; of Rego only what it is called.")]
    total: Annotated[int, about("How many there are.")]
    version: Annotated[int, about("Number of the version in force.")]


class PolicyRemoved(BaseModel):
    """The policy that is gone."""

    removed: Annotated[str, about("Its name.")]
