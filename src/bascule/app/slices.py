"""Whether the slice of the catalogue that somebody asked for exists, said before it is served."""

from collections.abc import Collection

from bascule.gateway.call import Endpoint, EndpointKind
from bascule.gateway.errors import NotFound


def require_slice(endpoint: Endpoint, bundles: Collection[str], servers: Collection[str]) -> None:
    """Let `endpoint` pass if it is one of these; a server is a bundle of its own name, too.

    Raises:
        NotFound: it is none of them; names those there are.
    """
    if endpoint.kind is EndpointKind.ALL:
        return
    names = {*servers} if endpoint.kind is EndpointKind.SERVER else {*bundles, *servers}
    if endpoint.name in names:
        return
    there_are = f"There are: {', '.join(sorted(names))}." if names else _none(endpoint.kind)
    raise NotFound(f"There is no {endpoint.kind} named {endpoint.name}. {there_are}")


def _none(kind: EndpointKind) -> str:
    if kind is EndpointKind.SERVER:
        return "There is none yet; `bascule servers add` adds one."
    return "There is none yet; `bascule import` and `bascule servers add` make one."
