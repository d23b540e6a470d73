"""Versions, drafts and tests of policies as the REST API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body, about
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

    policy: Annotated[str, about("Name of the policy.")]
    change: Annotated[Deed, about("What was done to it.")]


class Version(BaseModel):
    """A change of policies, as it was made. `origin` is empty for a direct one."""

    number: Annotated[int, about("Number of the version; each change of policies has the next.")]
    author: Annotated[str, about("Who made it.")]
    reason: Annotated[str, about("Why, as its author says.")]
    origin: Annotated[
        str,
        about("What it came out of, as `draft night` or `revert 12`; empty for a direct change."),
    ]
    created_at: Annotated[datetime, about("When it came into force.")]
    changes: Annotated[list[Touched], about("What it did, policy by policy.")]


class PolicyVersionList(BaseModel):
    """Versions, the newest first; `total` is the number of the one in force."""

    versions: Annotated[list[Version], about("The versions of this page.")]
    total: Annotated[int, about("Number of the version in force.")]
    page: Annotated[int, about("Number of this page, from 1.")]
    limit: Annotated[int, about("Most entries on a page.")]


class PolicyDiff(BaseModel):
    """What changed about one policy: `lines` begin with `+`, `-` or `~`.

    `before` and `after` are null where it was not there, or cannot be read any more.
    """

    policy: Annotated[str, about("Name of the policy.")]
    change: Annotated[Deed, about("What was done to it.")]
    before: Annotated[
        PolicyShown | None,
        about("What it said before; null where it was not there, or cannot be read."),
    ]
    after: Annotated[
        PolicyShown | None,
        about("What it says after; null where it is not there, or cannot be read."),
    ]
    lines: Annotated[
        list[str], about("What changed, line by line: `+` added, `-` removed, `~` changed.")
    ]


class Diff(BaseModel):
    """What leads from one state to the other; `after` is null where it is no version (yet)."""

    before: Annotated[int, about("Number of the version that was compared with.")]
    after: Annotated[int | None, about("Number of the other version; null for a draft.")]
    diff: Annotated[list[PolicyDiff], about("What differs, policy by policy.")]


class VersionShown(Version):
    """A version with all it changed."""

    diff: Annotated[list[PolicyDiff], about("All it changed, policy by policy.")]


class Because(Body):
    """Why something is done."""

    reason: Annotated[Reason, about("Why; kept with the version.")] = ""


class ChangesBody(Body):
    """What policies are to say from now on, by name; null for one that is to go."""

    changes: Annotated[
        Drafted, about("What policies are to say, by name; null for one that is to go.")
    ]
    reason: Annotated[Reason, about("Why; kept with the version.")] = ""


class Made(BaseModel):
    """The version there is now, and what was changed to come to it; nothing made no new one."""

    version: Annotated[int, about("Number of the version in force now.")]
    changes: Annotated[
        list[Touched], about("What was changed; empty: nothing, and no new version.")
    ]


class DraftBody(Body):
    """What policies are to say, by name; null for one that is to go.

    `base` is the version that was looked at; left out, the one in force now.
    """

    changes: Annotated[
        Drafted, about("What policies are to say, by name; null for one that is to go.")
    ]
    base: Annotated[
        Annotated[int, Field(ge=0)] | None,
        about("Number of the version that was looked at; left out: the one in force."),
    ] = None
    reason: Annotated[Reason, about("Why; kept with the draft.")] = ""


class DraftPatch(Body):
    """More changes, and changes (by policy) to `drop` from the draft. The rest stays."""

    changes: Annotated[
        Drafted, about("More changes, by the name of the policy; null for one that is to go.")
    ] = Field(default_factory=dict[str, PolicyBody | None])
    drop: Annotated[
        Annotated[list[str], Field(max_length=_MOST_CHANGES)],
        about("Names of policies whose changes leave the draft."),
    ] = Field(default_factory=list[str])
    base: Annotated[
        Annotated[int, Field(ge=0)] | None,
        about("Number of the version that was looked at; left out: as it is."),
    ] = None
    reason: Annotated[Reason | None, about("Why; left out: as it is.")] = None


class DraftEntry(BaseModel):
    """A draft. It cannot be published while there are `conflicts`: policies changed since."""

    name: Annotated[str, about("Its name.")]
    base: Annotated[int, about("Number of the version that it was made on.")]
    reason: Annotated[str, about("Why it is made.")]
    policies: Annotated[list[str], about("Names of the policies it changes.")]
    conflicts: Annotated[
        list[str],
        about("Policies of it that were changed since; while there are any, it is not published."),
    ]
    created_by: Annotated[str, about("Who made it.")]
    updated_by: Annotated[str, about("Who changed it last.")]
    created_at: Annotated[datetime, about("When it was made.")]
    updated_at: Annotated[datetime, about("When it was changed last.")]


class DraftList(BaseModel):
    """Every draft of the tenant by name; `version` is the one in force."""

    drafts: Annotated[list[DraftEntry], about("The drafts, by name.")]
    total: Annotated[int, about("How many there are.")]
    version: Annotated[int, about("Number of the version in force.")]


class Draft(DraftEntry):
    """A draft with its changes."""

    changes: Annotated[
        dict[str, PolicyShown | None],
        about("What policies are to say, by name; null for one that is to go."),
    ]


class TestBody(Body):
    """A case, the effect that is expected of it, and if need be the policy that is to decide."""

    __test__ = False

    case: Annotated[CaseBody, about("The use that is tried.")]
    expect: Annotated[Effect, about("The effect that must come of it.")]
    rule: Annotated[
        Annotated[str, Field(max_length=100), AfterValidator(storable)],
        about("The policy that must decide it; empty: any."),
    ] = ""
    description: Annotated[
        Annotated[str, Field(max_length=2000), AfterValidator(storable)],
        about("What it is for; for people."),
    ] = ""


class TestShown(BaseModel):
    """A test that every change of policies has to pass."""

    __test__ = False

    name: Annotated[str, about("Its name.")]
    case: Annotated[dict[str, Any], about("The use that is tried.")]
    expect: Annotated[Effect, about("The effect that must come of it.")]
    rule: Annotated[str, about("The policy that must decide it; empty: any.")]
    description: Annotated[str, about("What it is for; for people.")]
    created_at: Annotated[datetime, about("When it was made.")]
    updated_at: Annotated[datetime, about("When it was changed last.")]
    updated_by: Annotated[str, about("Who changed it last.")]


class TestList(BaseModel):
    """Every test of the tenant by name."""

    __test__ = False

    tests: Annotated[list[TestShown], about("The tests, by name.")]
    total: Annotated[int, about("How many there are.")]


class TestRun(Body):
    """Which policies to test: those in force, or as this draft would have them."""

    __test__ = False

    draft: Annotated[str | None, about("Name of a draft; null: the policies in force.")] = None


class TestOutcome(BaseModel):
    """What came of a test; `message` says what is wrong. `rule` decided."""

    __test__ = False

    name: Annotated[str, about("Name of the test; of one in Rego `POLICY: FILE: RULE`.")]
    passed: Annotated[bool, about("Whether it came out as expected.")]
    expected: Annotated[str, about("The effect that was expected; empty for one in Rego.")]
    actual: Annotated[str, about("The effect that came of it; empty where none did.")]
    rule: Annotated[str, about("The policy that decided; empty where none did.")]
    message: Annotated[str, about("What is wrong; empty where it passed.")]


class TestReport(BaseModel):
    """What came of all tests, those first that failed."""

    __test__ = False

    passed: Annotated[int, about("How many passed.")]
    failed: Annotated[int, about("How many failed.")]
    tests: Annotated[list[TestOutcome], about("What came of each, those first that failed.")]


class Removed(BaseModel):
    """What is gone."""

    removed: Annotated[str, about("Its name.")]
