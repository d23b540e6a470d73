"""The order of a call's stages. This is its one address."""

from collections.abc import Mapping
from dataclasses import dataclass

from bascule.catalogue.listing import ListTools
from bascule.gateway.call import Method
from bascule.gateway.dispatch import ByMethod, ByUpstream, Wellformed
from bascule.gateway.handshake import Handshake
from bascule.gateway.kernel import Edition
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor, Stage
from bascule.guards.schemas import InputSchemas, ValidateInput
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise


@dataclass(frozen=True, slots=True)
class Parts:
    """What outlives a snapshot and is shared by all pipelines."""

    authenticate: Stage
    schemas: InputSchemas
    handshake: Handshake
    page_size: int


def build_pipeline(
    snapshot: Snapshot, parts: Parts, upstreams: Mapping[tuple[str, str], Executor]
) -> Edition:
    """Compile `snapshot` into the pipeline that enforces it."""
    authorise = Authorise(Access(snapshot))
    stages: list[Stage] = [
        parts.authenticate,
        Wellformed(),
        authorise,
        ValidateInput(snapshot, parts.schemas),
    ]
    execute = ByMethod(
        {
            Method.TOOLS_CALL: ByUpstream(upstreams),
            Method.TOOLS_LIST: ListTools(authorise, parts.page_size),
            Method.DISCOVER: parts.handshake,
            Method.INITIALIZE: parts.handshake,
            Method.PING: parts.handshake,
            Method.NOTIFICATION: parts.handshake,
        }
    )
    return Edition(snapshot, Pipeline(stages, execute))
