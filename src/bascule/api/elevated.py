"""What requests for elevation are made of, and what keeps grants where calls look for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from bascule.gateway.elevation import ScopeKind
from bascule.policy.elevation import Holder, Step
from bascule.storage.repositories.elevations import StoredElevation

LINK_PATH: Final = "/elevate/"
"""Where the page for a link is; the token follows."""
LINK_SECONDS: Final = 3600.0
"""For how long a link can be opened."""
LEAST_REASON: Final = 3
MOST_REASON: Final = 2000
MOST_TICKET: Final = 200
MOST_COMMENT: Final = 2000
"""In characters."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an installation grants; see `settings.elevation`."""

    default_minutes: int = 60
    max_minutes: int = 480
    request_minutes: int = 1440
    self_approval: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is about: the call that was held back. `arguments` are masked.

    `tool` and `bundle` are the names that grants are for, whatever a bundle calls the tool.
    """

    tenant: str
    holder: Holder
    tool: str
    bundle: str
    digest: str
    arguments: object = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request: for what, why, and for how long.

    With a `link` it is about the tool of that (`kind` TOOL), its bundle (BUNDLE) or the very call
    (CALL), and `name` and `arguments` are left out. Without one, `name` is that of a tool or
    bundle, and `arguments`, for CALL, are those that the call will have. `minutes` None is the
    installation's default.
    """

    reason: str
    kind: ScopeKind = ScopeKind.TOOL
    name: str = ""
    arguments: Mapping[str, object] | None = None
    link: Link | None = None
    ticket: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """What is granted: as it was asked for, or less.

    `minutes` None leaves the time as it is. `kind` None leaves the scope: a request for a bundle
    can be narrowed to the tool or the call it came from (`tool` names another tool of it), one for
    a tool to the call it came from.
    """

    minutes: int | None = None
    kind: ScopeKind | None = None
    tool: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it is shown, and how often the same person asked before, by status."""

    elevation: StoredElevation
    history: Mapping[str, int] = field(default_factory=dict[str, int])


class LiveGrants(Protocol):
    """Grants as calls see them, in all processes at once. Each may raise `StateUnavailable`."""

    @property
    def terms(self) -> Terms:
        """What the installation grants."""
        ...

    @property
    def elsewhere(self) -> str | None:
        """Where people ask the manager that decides in place of this installation.

        "" where nobody knows the address, None where there is no such manager.
        """
        ...

    def now(self) -> datetime:
        """The time that expiry is held against."""
        ...

    async def put(self, tenant: str, elevation: StoredElevation) -> None:
        """Let calls see the grant, in place of any of the same scope."""
        ...

    async def drop(self, tenant: str, elevation: StoredElevation) -> None:
        """Let no call be covered by it any more, those included that are on their way to it."""
        ...

    def digest(self, tool: str, arguments: Mapping[str, object]) -> str:
        """The digest of a call, as in its scope: equal arguments give equal ones.

        `tool` is its exact name, which says the version.
        """
        ...

    def open_link(self, token: str) -> Link | None:
        """What the token of a link says; None where it was not made here, or is too old."""
        ...

    def count(self, step: Step) -> None:
        """Count what happened, for `bascule_elevations_total`."""
        ...
