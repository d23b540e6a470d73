"""gRPC services put together with their credentials, certificates and address rules."""

from collections.abc import Sequence

from bascule.app.connectors import Connectors
from bascule.gateway.call import Call
from bascule.gateway.tool import Upstream
from bascule.upstreams.grpc import Target
from bascule.upstreams.grpc.channels import Channel, Identity
from bascule.upstreams.grpc.upstream import GrpcUpstream


def open_grpc(
    tenant: str, upstream: Upstream, connectors: Connectors, most_bytes: int
) -> GrpcUpstream:
    """The executor of a gRPC service; connects with the first call.

    Raises:
        ValueError: its record cannot be used; says why.
    """
    target = Target.parse(upstream.url)
    connector, resolver = upstream.connector, connectors.resolver
    reach = connectors.reach(tenant, upstream)
    plain, callers = reach.upstream.headers, reach.callers
    common = connectors.credentials(tenant, upstream)

    async def headers(call: Call) -> Sequence[tuple[str, str]]:
        credentials = common if callers is None else callers.of(call).credentials
        if credentials is None:
            return plain
        ready = await credentials.prepared()
        return (*plain, *_read(ready.lines))

    async def identity() -> Identity:
        tls = connector.tls
        if tls is None:
            return Identity()
        texts = (tls.certificate, tls.key, tls.authorities)
        return Identity(*[await resolver.resolve(tenant, text) for text in texts])

    rules = connectors.rules.widened(connector.networks)
    channel = Channel(target, rules, most_bytes, identity if target.is_secure else None)
    return GrpcUpstream(upstream, channel, headers)


def _read(lines: bytes) -> Sequence[tuple[str, str]]:
    """Header lines of HTTP/1.1 as pairs."""
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return [(name.decode("latin-1"), value.strip().decode("latin-1")) for name, _, value in pairs]
