"""Challenges as each kind of client can be told of them.

Sources: specification 2026-07-28, basic/patterns/mrtr and client/elicitation; 2025-11-25,
client/elicitation "URL Elicitation Required Error".
"""

import hashlib
from typing import Final

from bascule.gateway.call import Call, Method
from bascule.gateway.challenges import KEYS
from bascule.gateway.verdict import Challenge
from bascule.protocol import codes
from bascule.protocol.results import Identity, encode_error, encode_result
from bascule.protocol.versions import LATEST_LEGACY_VERSION, Era

_MAY_ASK: Final = frozenset({Method.TOOLS_CALL, Method.RESOURCES_READ, Method.PROMPTS_GET})
"""Whose results may ask for input (basic/patterns/mrtr "Supported Requests")."""


def ask_to_visit(call: Call, challenge: Challenge, identity: Identity) -> bytes | None:
    """The answer that has a client bring its user to the address; None where it can only be told.

    It holds no state: whether the user has been there, the next call finds out by itself.
    """
    if not call.capabilities.elicitation_url:
        return None
    params = {"mode": "url", "url": challenge.url, "message": challenge.public}
    if call.era is Era.MODERN:
        if call.method not in _MAY_ASK:
            return None
        request = {"method": "elicitation/create", "params": params}
        body = {"inputRequests": {KEYS[challenge.need]: request}}
        return encode_result(call.message_id, body, call.era, identity, "input_required")
    if call.version != LATEST_LEGACY_VERSION:
        return None
    # The same address has the same id, so that a client shows it once.
    elicitation_id = hashlib.sha256(challenge.url.encode()).hexdigest()[:32]
    data: dict[str, object] = {
        "elicitations": [{**params, "elicitationId": elicitation_id}],
        "code": challenge.need.error.code,
        "correlation_id": call.correlation_id,
        "details": challenge.details,
    }
    code = codes.LEGACY_URL_ELICITATION_REQUIRED
    return encode_error(call.message_id, code, challenge.public, data)
