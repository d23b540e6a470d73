"""What a status that is not OK means for the caller.

Source: grpc/grpc doc/statuscodes.md; the HTTP statuses are those of google/rpc/code.proto.
"""

from typing import Any, Final, NamedTuple

from bascule.gateway.call import Result
from bascule.gateway.errors import UpstreamCut, UpstreamRateLimited
from bascule.protocol.tools import text_content
from bascule.upstreams.grpc.channels import timed_out

_LONGEST: Final = 2_000


class _Meaning(NamedTuple):
    http_status: int
    hint: str


_CHANGE: Final = "Correct the arguments."
_OPERATOR: Final = (
    "The credential that the gateway uses for this service was refused, so trying again will not "
    "help. An operator must check it."
)
_MAY_HAVE_ACTED: Final = "It failed and may have acted; check before repeating it."
_MEANINGS: Final = {
    "CANCELLED": _Meaning(499, _MAY_HAVE_ACTED),
    "UNKNOWN": _Meaning(500, _MAY_HAVE_ACTED),
    "INVALID_ARGUMENT": _Meaning(400, _CHANGE),
    "NOT_FOUND": _Meaning(404, "Nothing matches these arguments."),
    "ALREADY_EXISTS": _Meaning(409, "It exists already; read it first."),
    "PERMISSION_DENIED": _Meaning(403, _OPERATOR),
    "UNAUTHENTICATED": _Meaning(401, _OPERATOR),
    "FAILED_PRECONDITION": _Meaning(400, "The state does not allow it; read it first."),
    "ABORTED": _Meaning(409, "Somebody else was faster; read the state and try again."),
    "OUT_OF_RANGE": _Meaning(400, _CHANGE),
    "UNIMPLEMENTED": _Meaning(501, "The service does not offer this method any more."),
    "INTERNAL": _Meaning(500, _MAY_HAVE_ACTED),
    "DATA_LOSS": _Meaning(500, _MAY_HAVE_ACTED),
}


def outcome_of(error: Any, tool: str, upstream: str) -> Result:
    """The result of a call that the service refused or failed.

    Raises:
        UpstreamTimeout: the deadline passed; the service may have acted.
        UpstreamRateLimited: it takes no more for now.
        UpstreamCut: the connection was lost on the way; it may have acted.
    """
    code = error.code().name
    words = str(error.details() or "").strip()[:_LONGEST]
    if code == "DEADLINE_EXCEEDED":
        raise timed_out(upstream)
    if code == "RESOURCE_EXHAUSTED":
        raise UpstreamRateLimited(
            f"The service behind {tool} takes no more requests for now. Try again later.",
            private=f"upstream {upstream}: {code}: {words}",
        )
    if code == "UNAVAILABLE":
        raise UpstreamCut(
            "The service behind this tool went away while it worked. It may have acted; check "
            "before repeating the call.",
            private=f"upstream {upstream}: {code}: {words}",
        )
    meaning = _MEANINGS.get(code, _Meaning(500, _MAY_HAVE_ACTED))
    said = f" It said: {words}" if words else ""
    return Result(
        {"content": [text_content(f"gRPC {code}. {meaning.hint}{said}")], "isError": True},
        is_error=True,
        failure=f"upstream {upstream}: {code}: {words[:200]}",
        upstream_status=meaning.http_status,
    )
