"""Headers that keep browsers from doing more with an answer than it is meant for.

Source: OWASP HTTP Headers Cheat Sheet. What an answer says of itself stays as it is.
"""

from typing import Final

from bascule.transports.asgi import Event, Send

_SHIELDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Under `no-referrer` browsers send forms of a page with `Origin: null`, as strangers' are.
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_POLICY: Final = b"content-security-policy"
_NO_FRAMES: Final = (_POLICY, b"frame-ancestors 'none'")


def shielding(send: Send) -> Send:
    """`send`, with the headers that every answer beside MCP has."""

    async def send_shielded(event: Event) -> None:
        if event["type"] == "http.response.start":
            headers = list(event["headers"])
            known = {name.lower(): value for name, value in headers}
            headers += [one for one in _SHIELDS if one[0] not in known]
            # Of several policies all hold, so one more never takes anything away.
            if b"frame-ancestors" not in known.get(_POLICY, b""):
                headers.append(_NO_FRAMES)
            event["headers"] = headers
        await send(event)

    return send_shielded
