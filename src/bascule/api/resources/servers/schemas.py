"""MCP servers as the REST API shows them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bascule.api.names import BundleName
from bascule.api.user_grants import UserGrants
from bascule.gateway.connector import Pinning
from bascule.gateway.tool import UpstreamKind
from bascule.protocol.versions import Era

Word = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$")]
HeaderValue = Annotated[str, Field(max_length=8192, pattern=r"^[\x20-\x7e]*$")]


class ServerCreate(BaseModel):
    """A server to pass on: by `url`, or by the `command` that starts it here.

    Its name is also that of its bundle, and of its endpoint: `/mcp/servers/{name}`.
    """

    model_config = ConfigDict(extra="forbid")

    name: BundleName
    url: Annotated[str, Field(max_length=2000)] = ""
    command: Annotated[list[Word], Field(max_length=100)] = []
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=50)] = {}
    timeout_seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    """0: what the settings say."""
    pinning: Pinning = Pinning.FIRST_SEEN
    """Whether its tools are held to what was approved: `first_seen`, `manual` or `off`."""
    user_grants: UserGrants | None = None
    """Called on behalf of each caller, who consents in a browser. Left out: as it was."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.url) == bool(self.command):
            raise ValueError("give either a url or a command")
        if self.command and self.headers:
            raise ValueError("headers go with a url; a command has none")
        if self.command and self.user_grants is not None:
            raise ValueError("user_grants go with a url; a command has nobody to consent to")
        return self


class ServerStatus(BaseModel):
    """How a server stands. `reached` is null where it was not asked yet.

    Of a server that is not reached any more, `era` and `tools` (a number) are the last known.
    """

    reached: bool | None = None
    era: Era | None = None
    tools: int | None = None


class ServerChecked(ServerStatus):
    """How a server stands that was just asked; `reason` says why it was not reached."""

    name: str
    reason: str = ""


class Server(BaseModel):
    """A server that is passed on. Of its headers only the names are shown."""

    name: str
    kind: UpstreamKind
    url: str
    command: list[str]
    header_names: list[str]
    timeout_seconds: float
    pinning: Pinning
    on_behalf_of_callers: bool
    created_at: datetime
    status: ServerStatus


class ServerList(BaseModel):
    """Every MCP server of the tenant."""

    servers: list[Server]
    total: int


class ServerRemoved(BaseModel):
    """The server that is gone."""

    removed: str
