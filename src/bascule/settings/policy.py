"""How access rules are decided, and how people are given more than they allow, for a while."""

from typing import Annotated, Literal

from pydantic import Field

from bascule.settings.secret import Password
from bascule.settings.section import Section, setting
from bascule.settings.values import ServiceUrl


class Policy(Section):
    """What decides about access. The policies themselves are in the database."""

    rego_engine: Literal["embedded", "opa"] = setting(
        "embedded",
        "`embedded` evaluates Rego policies of the registry in child processes of the gateway. "
        "`opa` asks an OPA server about every use, with the documents that server has.",
    )
    opa_url: ServiceUrl = setting(
        "http://localhost:8181",
        "The OPA server, with `policy.rego_engine: opa`.",
        accepts="an http or https URL",
    )
    opa_token: Password = setting(
        Password(""),
        "The bearer token that the OPA server expects; empty for none.",
        accepts="a token, as a reference, or nothing",
    )
    rego_timeout_ms: Annotated[int, Field(ge=1, le=10_000)] = setting(
        250, "Time after which a Rego policy that has not answered denies.", unit="milliseconds"
    )
    rego_workers: Annotated[int, Field(ge=1, le=64)] = setting(
        2, "Most child processes that evaluate Rego at the same time.", unit="processes"
    )
    rego_memory_mb: Annotated[int, Field(ge=64, le=65_536)] = setting(
        512, "Memory that one of them may use; beyond it, it is ended.", unit="MiB"
    )
    max_decisions: Annotated[int, Field(ge=0, le=10_000_000)] = setting(
        100_000,
        "Rego decisions kept, per process; 0 evaluates each anew.",
        unit="decisions",
    )


class Elevation(Section):
    """Leave given by a person, for a while, for what needs more than a rule."""

    privileged: Literal["require", "allow"] = setting(
        "require",
        "Whether calls of tools of the risk `privileged` need a live grant. `allow` leaves it to "
        "rules with the effect `elevate`.",
    )
    default_minutes: Annotated[int, Field(ge=1, le=10_080)] = setting(
        60, "For how long a grant is given where the request does not say.", unit="minutes"
    )
    max_minutes: Annotated[int, Field(ge=1, le=10_080)] = setting(
        480, "Longest time for which a grant can be given.", unit="minutes"
    )
    request_minutes: Annotated[int, Field(ge=1, le=43_200)] = setting(
        1440, "Time after which a request that nobody decided about is void.", unit="minutes"
    )
    self_approval: bool = setting(
        False,  # noqa: FBT003 - the default of the setting
        "Let who may approve requests approve their own. Otherwise somebody else must: an "
        "installation with one administrator only cannot grant anything.",
    )
    pim_url: ServiceUrl = setting(
        "",
        "A privileged identity manager that knows who is elevated, asked by POST at "
        "`/api/pim/check-elevation` below this address; empty for the gateway's own grants.",
        accepts="an http or https URL, or nothing",
    )
    pim_page_url: ServiceUrl = setting(
        "",
        "Where people ask it for elevation. Callers are sent there unless it names another address "
        "in its answer; empty for none.",
        accepts="an http or https URL, or nothing",
    )
    pim_token: Password = setting(
        Password(""),
        "The bearer token that it expects; empty for none.",
        accepts="a token, as a reference, or nothing",
    )
    pim_timeout_seconds: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = setting(
        3.0, "Time after which a call is refused because it has not answered.", unit="seconds"
    )
