"""Access rules as the REST API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bascule.api.names import Name
from bascule.gateway.rule import Action, Effect
from bascule.gateway.tool import RiskLevel

Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=200)]

Uris = Annotated[list[Annotated[str, Field(min_length=1, max_length=2048)]], Field(max_length=200)]


class PolicyCreate(BaseModel):
    """A rule. Empty `bundles` and `risks` mean any.

    `tools`, `prompts` and `resources` (URIs) may hold patterns (get_*). A rule that names none of
    the three is about everything in its bundles; one that names some is about those only.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    effect: Effect
    roles: Annotated[Names, Field(min_length=1)]
    actions: Annotated[list[Action], Field(min_length=1)] = list(Action)
    bundles: Names = []
    tools: Names = []
    prompts: Names = []
    resources: Uris = []
    risks: list[RiskLevel] = []
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    description: Annotated[str, Field(max_length=2000)] = ""


class Policy(BaseModel):
    """A rule in force."""

    name: str
    effect: Effect
    roles: list[str]
    actions: list[Action]
    bundles: list[str]
    tools: list[str]
    prompts: list[str]
    resources: list[str]
    risks: list[RiskLevel]
    priority: int
    description: str
    is_active: bool
    created_at: datetime


class PolicyList(BaseModel):
    """Every rule of the tenant, the highest priority first."""

    policies: list[Policy]
    total: int


class PolicyRemoved(BaseModel):
    """The rule that is gone."""

    removed: str
