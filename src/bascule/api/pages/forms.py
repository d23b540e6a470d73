"""What pages with forms share: fields, notices, and failures as people read them."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bascule.api.correlation import correlation_id_of
from bascule.api.pages.layout import escape, page, page_headers
from bascule.api.signin.cookies import CSRF_FIELD
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.verdict import Refuse

_ENDED: Final = (ErrorCode.TOKEN_EXPIRED, ErrorCode.AUTH_REQUIRED, ErrorCode.INVALID_TOKEN)
_MOST_FIELDS: Final = 20
_COMMAND: Final = re.compile(r"`([^`]+)`")


class PageRoute(APIRoute):
    """A route for people: a failure is a page, and who must sign in is sent there."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As FastAPI asks for."""
        handle = super().get_route_handler()

        async def serve(request: Request) -> Response:
            try:
                return await handle(request)
            except GatewayError as failure:
                return failure_page(request, failure.error, failure.public)
            except (HTTPException, RequestValidationError):
                sentence = "This address or form cannot be read. Go back, and try again."
                return failure_page(request, ErrorCode.INVALID_REQUEST, sentence)

        return serve


async def fields_of(request: Request, *names: str) -> dict[str, str]:
    """The fields of the form in `request`; empty for those it does not have."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        found = {name: form.get(name) for name in names}
    return {name: one if isinstance(one, str) else "" for name, one in found.items()}


def refusal_page(request: Request, refusal: Refuse) -> Response:
    """What people see of a refusal; where signing in helps, they are sent to do that."""
    if refusal.error in _ENDED:
        here = request.url.path if request.method == "GET" else ""
        return sign_in_first(here)
    return failure_page(request, refusal.error, refusal.public)


def sign_in_first(next_path: str = "") -> Response:
    """Send somebody to sign in, and back."""
    query = f"?{urlencode({'next': next_path})}" if next_path else ""
    return redirect(f"/sign-in{query}")


def failure_page(request: Request, error: ErrorCode, sentence: str) -> Response:
    """What went wrong, in one sentence, with the number that finds it in the records."""
    body = (
        f"<h1>That did not work</h1>\n{notice(sentence)}\n"
        f'<p class="muted">{escape(error.code)} · {escape(correlation_id_of(request))}</p>\n'
        '<p><a href="/sign-in">Sign in</a> or go to the <a href="/">start page</a>.</p>'
    )
    return page("That did not work", body, status=error.http_status, narrow=True)


def redirect(path: str) -> Response:
    """Send the browser on to a page, with GET."""
    return RedirectResponse(path, 303, page_headers())


def notice(sentence: str, kind: str = "bad") -> str:
    """A sentence that must not be overlooked; nothing for none."""
    if not sentence:
        return ""
    role = "alert" if kind == "bad" else "status"
    shown = _COMMAND.sub(r"<code>\1</code>", escape(sentence))
    return f'<p class="notice {kind}" role="{role}">{shown}</p>'


def hidden(name: str, value: str) -> str:
    """A field that nobody sees."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def token_field(token: str) -> str:
    """What proves that a form is one of ours."""
    return hidden(CSRF_FIELD, token)


def password_field(name: str, label: str, *, is_new: bool = False, hint: str = "") -> str:
    """A field for a password, which managers of passwords recognise."""
    complete = "new-password" if is_new else "current-password"
    describes = f' aria-describedby="{name}-hint"' if hint else ""
    said = f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
    return (
        f'<label for="{name}">{escape(label)}</label>{said}\n'
        f'<input id="{name}" name="{name}" type="password" autocomplete="{complete}" required'
        f'{describes} maxlength="256">'
    )


def moment(when: datetime | None) -> str:
    """A time as people read it."""
    if when is None:
        return "never"
    utc = when.astimezone(UTC)
    return f'<time datetime="{utc.isoformat()}">{utc:%Y-%m-%d %H:%M} UTC</time>'
