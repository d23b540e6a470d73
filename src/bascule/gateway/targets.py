"""Executes a call on the upstream that owns its target: a prompt, a resource, a task."""

from collections.abc import Mapping
from typing import Final, cast

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import GatewayError, ResourceNotFound, UpstreamUnreachable
from bascule.gateway.stage import Executor
from bascule.protocol import codes

_LEGACY_RESOURCE_NOT_FOUND: Final = -32002
_ABOUT_URIS: Final = frozenset({Method.RESOURCES_READ, Method.SUBSCRIBE, Method.UNSUBSCRIBE})


class ByTarget:
    """Hands a call to the upstream of its target; `upstreams` by (tenant, upstream name)."""

    def __init__(self, upstreams: Mapping[tuple[str, str], Executor]) -> None:
        self._upstreams = {key: one.execute for key, one in upstreams.items()}

    async def execute(self, call: Call) -> Result:
        """Execute on the upstream named by the target.

        Raises:
            UpstreamUnreachable: the target's upstream is not configured (any more).
            ResourceNotFound: the upstream has no such resource.
            GatewayError: as the upstream.
        """
        if call.target is None or call.principal is None:
            raise RuntimeError("the call needs a target and a principal")
        execute = self._upstreams.get((call.principal.tenant, call.target.upstream))
        if execute is None:
            raise UpstreamUnreachable(
                f"The service behind {call.target.name} is not configured. "
                "An operator must add it again.",
                private=f"no upstream {call.target.upstream!r} in the snapshot",
            )
        try:
            return await execute(call)
        except GatewayError as failure:
            if call.method in _ABOUT_URIS and _is_unknown(failure, call.more.uri):
                raise ResourceNotFound(
                    "Resource not found", private=failure.private, details={"uri": call.more.uri}
                ) from failure
            raise


def _is_unknown(failure: GatewayError, uri: str) -> bool:
    """Whether an upstream says that there is no resource `uri`, in the way of its era.

    Then it is said in our words: in others, callers could tell what is hidden from what is not.
    """
    code, said = failure.details.get("rpc_code"), failure.details.get("rpc_data")
    if code == codes.INVALID_PARAMS and isinstance(said, dict):
        return cast("dict[str, object]", said).get("uri") == uri
    return code == _LEGACY_RESOURCE_NOT_FOUND
