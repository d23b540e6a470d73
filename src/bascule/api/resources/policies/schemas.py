"""Policies as the REST API lists them."""

from pydantic import BaseModel

from bascule.api.rules.bodies import Policy


class PolicyList(BaseModel):
    """Policies of the tenant, the highest priority first; `version` is of all of them together."""

    policies: list[Policy]
    total: int
    version: int


class PolicyRemoved(BaseModel):
    """The policy that is gone."""

    removed: str
