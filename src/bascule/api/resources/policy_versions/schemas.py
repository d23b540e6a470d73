"""Versions, drafts and tests of policies as the REST API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body
from bascule.api.names import Name
from bascule.api.rules.bodies import PolicyBody, PolicyShown, Reason
from bascule.api.rules.cases import CaseBody
from bascule.api.rules.values import storable
from bascule.gateway.rule import Effect
from bascule.storage.repositories.policy_changes import Deed

_MOST_CHANGES = 10_000


def _one_segment(name: str) -> str:
    if "/" in name:  # it stands in the middle of paths
        raise PydanticCustomError("draft_name", "A draft is named without a slash")
    return name


DraftName = Annotated[Name, AfterValidator(_one_segment)]
Drafted = Annotated[dict[Name, PolicyBody | None], Field(max_length=_MOST_CHANGES)]


class Touched(BaseModel):
    """A policy, and what was done to it."""

    policy: str
    change: Deed


class Version(BaseModel):
    """A change of policies, as it was made. `origin` is empty for a direct one."""

    number: int
    author: str
    reason: str
    origin: str
    created_at: datetime
    changes: list[Touched]


class PolicyVersionList(BaseModel):
    """Versions, the newest first; `total` is the number of the one in force."""

    versions: list[Version]
    total: int
    page: int
    limit: int


class PolicyDiff(BaseModel):
    """What changed about one policy: `lines` begin with `+`, `-` or `~`.

    `before` and `after` are null where it was not there, or cannot be read any more.
    """

    policy: str
    change: Deed
    before: PolicyShown | None
    after: PolicyShown | None
    lines: list[str]


class Diff(BaseModel):
    """What leads from one state to the other; `after` is null where it is no version (yet)."""

    before: int
    after: int | None
    diff: list[PolicyDiff]


class VersionShown(Version):
    """A version with all it changed."""

    diff: list[PolicyDiff]


class Because(Body):
    """Why something is done."""

    reason: Reason = ""


class ChangesBody(Body):
    """What policies are to say from now on, by name; null for one that is to go."""

    changes: Drafted
    reason: Reason = ""


class Made(BaseModel):
    """The version there is now, and what was changed to come to it; nothing made no new one."""

    version: int
    changes: list[Touched]


class DraftBody(Body):
    """What policies are to say, by name; null for one that is to go.

    `base` is the version that was looked at; left out, the one in force now.
    """

    changes: Drafted
    base: Annotated[int, Field(ge=0)] | None = None
    reason: Reason = ""


class DraftPatch(Body):
    """More changes, and changes (by policy) to `drop` from the draft. The rest stays."""

    changes: Drafted = Field(default_factory=dict[str, PolicyBody | None])
    drop: Annotated[list[str], Field(max_length=_MOST_CHANGES)] = Field(default_factory=list[str])
    base: Annotated[int, Field(ge=0)] | None = None
    reason: Reason | None = None


class DraftEntry(BaseModel):
    """A draft. It cannot be published while there are `conflicts`: policies changed since."""

    name: str
    base: int
    reason: str
    policies: list[str]
    conflicts: list[str]
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime


class DraftList(BaseModel):
    """Every draft of the tenant by name; `version` is the one in force."""

    drafts: list[DraftEntry]
    total: int
    version: int


class Draft(DraftEntry):
    """A draft with its changes."""

    changes: dict[str, PolicyShown | None]


class TestBody(Body):
    """A case, the effect that is expected of it, and if need be the policy that is to decide."""

    __test__ = False

    case: CaseBody
    expect: Effect
    rule: Annotated[str, Field(max_length=100), AfterValidator(storable)] = ""
    description: Annotated[str, Field(max_length=2000), AfterValidator(storable)] = ""


class TestShown(BaseModel):
    """A test that every change of policies has to pass."""

    __test__ = False

    name: str
    case: dict[str, Any]
    expect: Effect
    rule: str
    description: str
    created_at: datetime
    updated_at: datetime
    updated_by: str


class TestList(BaseModel):
    """Every test of the tenant by name."""

    __test__ = False

    tests: list[TestShown]
    total: int


class TestRun(Body):
    """Which policies to test: those in force, or as this draft would have them."""

    __test__ = False

    draft: str | None = None


class TestOutcome(BaseModel):
    """What came of a test; `message` says what is wrong. `rule` decided."""

    __test__ = False

    name: str
    passed: bool
    expected: str
    actual: str
    rule: str
    message: str


class TestReport(BaseModel):
    """What came of all tests, those first that failed."""

    __test__ = False

    passed: int
    failed: int
    tests: list[TestOutcome]


class Removed(BaseModel):
    """What is gone."""

    removed: str
