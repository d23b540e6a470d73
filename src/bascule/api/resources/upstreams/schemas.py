"""Services behind the gateway as the REST API shows and takes them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bascule.api.user_grants import UserGrants
from bascule.gateway.connector import Mode
from bascule.gateway.tool import UpstreamKind

Text = Annotated[str, Field(max_length=4096, pattern=r"^[\x20-\x7e]*$")]
Pem = Annotated[str, Field(max_length=262_144, pattern=r"^[\x09\x0a\x0d\x20-\x7e]*$")]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$")]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Credentials(_Part):
    """OAuth 2.0 client credentials. `client_secret` is a reference, such as `${secret:NAME}`."""

    token_url: Url
    client_id: Annotated[Text, Field(min_length=1)]
    client_secret: Annotated[Text, Field(min_length=1)]
    scope: Text = ""
    audience: Text = ""
    secret_in_body: bool = False


class TokenExchange(_Part):
    """The caller's access token exchanged (RFC 8693). `client_secret` is a reference.

    Only tokens of `issuer` are; where it is left out, those of an issuer on the host of
    `token_url`. On another host than an issuer's, a system administrator must set it.
    """

    token_url: Url
    client_id: Annotated[Text, Field(min_length=1)]
    client_secret: Annotated[Text, Field(min_length=1)]
    audience: Text = ""
    resource: Text = ""
    scope: Text = ""
    secret_in_body: bool = False
    issuer: Annotated[str, Field(max_length=500)] = ""


class Tls(_Part):
    """Certificate, key and authorities in PEM form, or references to them; the key always so."""

    certificate: Pem = ""
    key: Pem = ""
    authorities: Pem = ""

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key go together")
        return self


class Retry(_Part):
    """How often a call that is safe to repeat is sent, the first time included."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    first_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    cap_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0


class Breaker(_Part):
    """When calls to a service that fails are no longer tried."""

    failures: Annotated[int, Field(ge=1, le=10_000)] = 5
    window_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    open_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0


class Connector(_Part):
    """As whom, over what and how often a service is called.

    Of `credentials`, `user_grants` and `exchange` one at most is given.
    """

    mode: Mode = Mode.LIVE
    credentials: Credentials | None = None
    user_grants: UserGrants | None = None
    exchange: TokenExchange | None = None
    tls: Tls | None = None
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    networks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)] = []
    health_path: Annotated[str, Field(max_length=1000, pattern=r"^(/[\x21-\x7e]*)?$")] = ""


class UpstreamPut(_Part):
    """A service as it is to be. What is left out stays as it is, or has its usual value.

    Headers and connector are replaced as a whole. Both must be given with a `url` that leads to
    another host, since their secrets go there.
    """

    url: Url | None = None
    headers: Annotated[dict[HeaderName, Text], Field(max_length=50)] | None = None
    connector: Connector | None = None
    connect_timeout_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None


class Upstream(BaseModel):
    """A service. Of its headers only the names are shown, of secrets only the references.

    A time-out of 0 means what the settings say.
    """

    name: str
    kind: UpstreamKind
    url: str
    header_names: list[str]
    connector: Connector
    connect_timeout_seconds: float
    timeout_seconds: float
    created_at: datetime
    updated_at: datetime


class UpstreamList(BaseModel):
    """Every service of the tenant that is reached by a URL."""

    upstreams: list[Upstream]
    total: int


class UpstreamRemoved(BaseModel):
    """The service that is gone."""

    removed: str


class Step(BaseModel):
    """One step of reaching a service."""

    step: str
    ok: bool
    detail: str


class UpstreamTested(BaseModel):
    """How far a try came; the steps after the first that failed were not taken."""

    name: str
    ok: bool
    steps: list[Step]
