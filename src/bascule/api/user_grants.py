"""How a server is called on behalf of each caller, as operators say it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bascule.api.caller import Caller
from bascule.api.references import check_references, require_reference
from bascule.gateway import connector
from bascule.gateway.errors import InvalidValue
from bascule.upstreams.addresses import Reach, parse_address, reach_of
from bascule.upstreams.http1 import Origin

Text = Annotated[str, Field(max_length=4096, pattern=r"^[\x20-\x7e]*$")]
Scope = Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,256}$")]


class UserGrants(BaseModel):
    """OAuth on behalf of each caller, who consents in a browser; of MCP servers only.

    All of it may be left out: authorization servers that publish their metadata need nothing.
    `client_id` and `client_secret` (a reference) are set where this gateway was registered by hand,
    at `issuer`. `scopes` are asked for where the server names none.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    client_id: Text = ""
    client_secret: Text = ""
    issuer: Annotated[str, Field(max_length=500)] = ""
    scopes: Annotated[list[Scope], Field(max_length=64)] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.client_id) != bool(self.issuer) or (self.client_secret and not self.client_id):
            raise ValueError("client_id and issuer go together, and client_secret with both")
        return self

    def as_value(self) -> connector.UserGrants:
        """The same for the gateway."""
        return connector.UserGrants(
            self.client_id, self.client_secret, self.issuer, tuple(self.scopes)
        )


def check_user_grants(caller: Caller, wanted: connector.UserGrants) -> None:
    """See that `caller` may have a server called so.

    Raises:
        InvalidValue: the issuer is not reached over https, or the secret is written out.
        Forbidden: a reference is for a system administrator to write.
    """
    place = "connector.user_grants"
    require_reference(f"{place}.client_secret", wanted.client_secret)
    check_references(
        caller,
        {f"{place}.client_id": wanted.client_id, f"{place}.client_secret": wanted.client_secret},
    )
    if wanted.issuer:
        check_https(f"{place}.issuer", wanted.issuer)


def check_https(field: str, url: str) -> None:
    """See that what is sent to `url` is not sent in clear, unless it stays on this machine.

    Raises:
        InvalidValue: it is, or `url` is unusable.
    """
    try:
        origin, _ = Origin.locate(url)
        is_here = _is_here(origin.host)
    except ValueError as error:
        raise InvalidValue(f"{field}: {error}.", details={"field": field}) from None
    if origin.scheme != "https" and not is_here:
        # RFC 6749, section 3.2: the secret must not travel in clear.
        raise InvalidValue(
            f"{field}: use https, or everybody on the way reads the secret.",
            details={"field": field},
        )


def _is_here(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" if address is None else reach_of(address) is Reach.LOOPBACK
