"""Sessions as values, and cookies into answers."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from bascule.api.errors import Refused
from bascule.api.resources.session.schemas import (
    PasswordChange,
    Provider,
    ProviderList,
    Session,
    SessionCreate,
    SignedOut,
)
from bascule.api.signin.browsers import FORGED, Visitor
from bascule.api.signin.cookies import CSRF_HEADER, FORM, SESSION, Ticket
from bascule.api.signin.desk import Credentials
from bascule.api.signin.house import SignIn, host_of, sign_in_of
from bascule.api.signin.visits import visit_of
from bascule.gateway.verdict import Refuse


async def visitor_of(request: Request) -> Visitor:
    """Who is signed in.

    Raises:
        Refused: nobody, or the request may be forged.
    """
    browsers, token = sign_in_of(request).browsers, request.headers.get(CSRF_HEADER)
    found = browsers.identified(request) or await browsers.visitor(request, token)
    if isinstance(found, Refuse):
        raise Refused(found)
    return found


async def create_session(request: Request, response: Response, wanted: SessionCreate) -> Session:
    """Let in who knows a password.

    Raises:
        Refused: 401 for a wrong name or password, 403 from another origin, 429 after too many.
    """
    sign_in = sign_in_of(request)
    if not sign_in.cookies.is_same_origin(request):
        raise Refused(FORGED)
    tenant = sign_in.tenant_of(request, wanted.tenant)
    given = Credentials(tenant, wanted.name, wanted.password)
    ticket = await sign_in.desk.sign_in(visit_of(request), given, sign_in.old_ticket(request))
    return await _entered(request, response, sign_in, ticket)


async def change_password(request: Request, response: Response, wanted: PasswordChange) -> Session:
    """Set another password; the cookie is another one from now on.

    Raises:
        Refused: 400 names the field that is wrong, 429 after too many wrong ones.
    """
    sign_in, visitor = sign_in_of(request), await visitor_of(request)
    ticket = await sign_in.desk.change_password(
        visit_of(request), visitor, wanted.current, wanted.new
    )
    return await _entered(request, response, sign_in, ticket)


async def end_session(request: Request, response: Response) -> SignedOut:
    """Sign out here."""
    sign_in, visitor = sign_in_of(request), await visitor_of(request)
    await sign_in.entries.end(visit_of(request), visitor, visitor.session.id)
    sign_in.cookies.clear(request, response, SESSION)
    back_to = f"{sign_in.base_url(request)}/sign-in"
    found = await sign_in.providers.sign_out_url(visitor.session.issuer, back_to)
    if found is None:
        return SignedOut()
    return SignedOut(provider=found[0], provider_sign_out_url=found[1])


async def end_everywhere(request: Request, response: Response) -> None:
    """Sign out in every browser."""
    sign_in, visitor = sign_in_of(request), await visitor_of(request)
    await sign_in.entries.end_everywhere(visit_of(request), visitor)
    sign_in.cookies.clear(request, response, SESSION)


def list_providers(request: Request) -> ProviderList:
    """The ways in under this host."""
    sign_in = sign_in_of(request)
    rules = sign_in.desk.rules
    found = [
        Provider(name=one.name, url=f"/sign-in/{quote(one.name, safe='')}")
        for one in sign_in.providers.offered(host_of(request))
    ]
    return ProviderList(
        local_accounts=rules.local_accounts,
        min_password_characters=rules.least_characters,
        providers=found,
    )


def shown(visitor: Visitor) -> Session:
    """A visitor, as a value."""
    principal, session = visitor.principal, visitor.session
    return Session(
        session_id=session.id,
        user_id=session.user_id,
        name=principal.subject,
        tenant=principal.tenant,
        roles=sorted(principal.roles),
        groups=sorted(principal.groups),
        permissions=sorted(principal.permissions),
        issuer=session.issuer or None,
        signed_in_at=session.created_at,
        idle_until=visitor.idle_until,
        expires_at=session.expires_at,
        csrf_token=visitor.csrf_token,
    )


async def _entered(
    request: Request, response: Response, sign_in: SignIn, ticket: Ticket | Refuse
) -> Session:
    if isinstance(ticket, Refuse):
        raise Refused(ticket)
    found = await sign_in.browsers.holder(ticket)
    if isinstance(found, Refuse):
        raise Refused(found)
    sign_in.cookies.set(request, response, SESSION, ticket.text)
    sign_in.cookies.clear(request, response, FORM)
    return shown(found)
