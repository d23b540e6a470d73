"""Who may write which references into the record of a service, and what must be one.

A tenant's own secrets are for whoever manages its services. The environment, the files, Vault and
AWS are the installation's: a header with `${DATABASE_PASSWORD}`, sent to a server of one's own,
would give it away. So only a system administrator writes those.
"""

from collections.abc import Mapping
from typing import Final

from bascule.api.caller import Caller
from bascule.gateway.errors import Forbidden, InvalidValue
from bascule.telemetry.redaction import is_secret_name
from bascule.upstreams.http1 import prepare_headers
from bascule.upstreams.secrets.references import Kind, Reference, parse, references_in

SYSTEM_ADMIN: Final = "system_admin"


def check_references(caller: Caller, texts: Mapping[str, str]) -> None:
    """See that `caller` may write `texts`, given by the place each stands at.

    Raises:
        InvalidValue: a reference is malformed.
        Forbidden: one is for a system administrator to write.
    """
    for place, text in texts.items():
        for reference in _references(place, text):
            if not reference.is_of_tenant and not caller.principal.may(SYSTEM_ADMIN):
                raise Forbidden(
                    f"{place}: {reference} is read with the rights of the gateway itself, so only "
                    "a system administrator may use it. Keep the value as a secret of the tenant "
                    "(`bascule secrets set NAME`), and write ${secret:NAME}.",
                    details={"permission": SYSTEM_ADMIN, "field": place},
                )


def require_reference(place: str, text: str) -> None:
    """See that `text` holds a secret by reference only, or is empty.

    Raises:
        InvalidValue: it is written out, or has a default that is.
    """
    if not text:
        return
    found = _references(place, text)
    if not found:
        raise InvalidValue(
            f"{place} must not be written out: it would be stored open. Set it with "
            "`bascule secrets set NAME`, and write ${secret:NAME}.",
            details={"field": place},
        )
    if any(one.kind is Kind.ENVIRONMENT and one.default for one in found):
        raise InvalidValue(
            f"{place}: a default would be stored open. Leave it out.", details={"field": place}
        )


def check_headers(headers: Mapping[str, str], *, strictly: bool) -> None:
    """See that `headers` can be sent; `strictly` also that no secret is written out in them.

    Raises:
        InvalidValue: one cannot, or is; names it.
    """
    for name, value in headers.items():
        place = f"headers.{name}"
        literal = "".join(part for part in _parts(place, value) if isinstance(part, str))
        try:
            prepare_headers(((name, literal),))
        except ValueError as error:
            raise InvalidValue(f"headers: {error}", details={"field": "headers"}) from None
        if strictly and is_secret_name(name):
            require_reference(place, value)


def _references(place: str, text: str) -> tuple[Reference, ...]:
    _parts(place, text)
    return references_in(text)


def _parts(place: str, text: str) -> tuple[str | Reference, ...]:
    try:
        return parse(text)
    except ValueError as error:
        raise InvalidValue(f"{place}: {error}.", details={"field": place}) from None
