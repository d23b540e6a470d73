"""Records of calls as a replay sees them."""

from dataclasses import dataclass, field
from typing import Any

from bascule.gateway.masking import mask
from bascule.policy.recalling import Who


@dataclass
class Recollection:
    """A record of a call, plausible by default: `bascule.policy.recalling.RecordedCall`.

    `arguments` are as they were sent; what a record has of them is masked.
    """

    tool_name: str = "pay"
    sent: dict[str, Any] | None = field(default_factory=dict[str, Any])
    user: str = "ann"
    roles: tuple[str, ...] = ("user",)
    groups: tuple[str, ...] = ()
    agent: str = ""
    key_id: str = "key-1"
    moment: float = 1_800_000_000.0
    peer: str = "10.1.2.3"
    correlation_id: str = "c-1"
    tool_version: str = "1.0.0"
    rule: str = "allow-everything"
    status: str = "success"
    error_code: str = ""
    shown: tuple[str, str] = ("", "")
    has_grant: bool = False

    def __post_init__(self) -> None:
        self.arguments: object = None if self.sent is None else mask(self.sent)

    @property
    def who(self) -> Who:
        """Who made it."""
        return self.user, self.agent, self.roles, self.groups, self.key_id
