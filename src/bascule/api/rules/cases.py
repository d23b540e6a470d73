"""Uses that nobody asked for, as JSON: what policies are tested with."""

from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body, about
from bascule.api.rules.values import storable
from bascule.gateway.inventory import ItemKind
from bascule.gateway.rule import Action
from bascule.policy.hypothetical import SOMEONE, Case

_KINDS: Final = {"tool": None, "prompt": ItemKind.PROMPT, "template": ItemKind.TEMPLATE}


def _address(text: str) -> str:
    try:
        return str(ip_address(text)) if text else ""
    except ValueError:
        raise PydanticCustomError(
            "address", "An address is written as in 10.1.2.3 or 2001:db8::1"
        ) from None


Address = Annotated[str, Field(max_length=100), AfterValidator(_address)]
"""The address of a caller; empty where it is not known."""
Word = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(storable)]


class CaseBody(Body):
    """Somebody who wants to use something. `time` is now where it is left out."""

    tool: Annotated[
        Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(storable)],
        about("Name of a tool (`refund`, `refund@1.2`) or prompt, or the URI of a template."),
    ]
    kind: Annotated[Literal["tool", "prompt", "template"], about("What `tool` names.")] = "tool"
    action: Annotated[Action, about("`discover`: see it in lists; `invoke`: use it.")] = (
        Action.INVOKE
    )
    user: Annotated[Word, about("Name of a user.")] = SOMEONE
    roles: Annotated[
        Annotated[list[Word], Field(max_length=100)], about("Roles that the caller has.")
    ] = Field(default_factory=list[str])
    groups: Annotated[
        Annotated[list[Word], Field(max_length=100)],
        about("Groups that the caller is in; they bring the roles they are mapped to."),
    ] = Field(default_factory=list[str])
    agent: Annotated[Word | None, about("The agent that acts for them; null for none.")] = None
    arguments: Annotated[
        Annotated[dict[str, Any], AfterValidator(storable)],
        about("Arguments of the call, by name."),
    ] = Field(default_factory=dict[str, Any])
    time: Annotated[AwareDatetime | None, about("When it is; now, where it is left out.")] = None
    ip: Annotated[
        Address, about("Address that the caller comes from; empty or null where it is not known.")
    ] = ""
    bundle: Annotated[
        Annotated[str, Field(max_length=200), AfterValidator(storable)],
        about("The bundle through which it is reached; empty for the whole catalogue."),
    ] = ""

    def case(self) -> Case:
        """The case as it is decided."""
        return Case(
            tool=self.tool,
            action=self.action,
            user=self.user,
            roles=tuple(self.roles),
            groups=tuple(self.groups),
            agent=self.agent,
            arguments=self.arguments,
            moment=None if self.time is None else self.time.timestamp(),
            peer=self.ip,
            bundle=self.bundle,
            kind=_KINDS[self.kind],
        )
