"""gRPC services as documents: what they say of themselves, or a descriptor set, as tools."""

import asyncio
import time
from dataclasses import dataclass

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.importing import require_reachable, rules_for
from bascule.catalogue.openapi import Conversion
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.openapi.findings import Finding
from bascule.catalogue.openapi.naming import Names, clean
from bascule.gateway.errors import InvalidValue
from bascule.gateway.tool import GrpcSource, RiskLevel, UpstreamKind
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.grpc import Method, Surface, Target, read_surface
from bascule.upstreams.grpc.channels import Channel
from bascule.upstreams.grpc.reflection import reflect

_REFLECTION_SECONDS = 20.0
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GrpcOrder:
    """Where the service is (`grpc://host:port`), and which of its services are wanted; () all."""

    url: str
    services: tuple[str, ...] = ()
    kind: UpstreamKind = UpstreamKind.GRPC

    async def read(
        self, control: Control, caller: Caller, document: bytes | None
    ) -> tuple[bytes, Conversion]:
        """As `read_service`.

        Raises:
            Forbidden: an address inside, which is for those to name who manage servers.
        """
        rules = rules_for(caller, control.grpc)
        require_reachable(rules, "target", self.url)
        return await read_service(rules, self, document)


async def read_service(
    rules: AddressRules, order: GrpcOrder, descriptors: bytes | None
) -> tuple[bytes, Conversion]:
    """The descriptors of a service, asked for unless they are given, and its methods as tools.

    Raises:
        InvalidValue: the address or the descriptors cannot be used, or nothing is unary.
        UpstreamUnreachable, UpstreamFailed: the service does not say what it offers.
        GrpcMissing: the optional libraries are not installed.
    """
    try:
        target = Target.parse(order.url)
    except ValueError as error:
        raise InvalidValue(f"target: {error}.", details={"field": "target"}) from None
    if descriptors is None:
        descriptors = await _ask(target, rules)
    surface = await asyncio.to_thread(read_surface, descriptors, order.services)
    if not surface.methods:
        raise InvalidValue(
            "No method of it is unary, so none can become a tool.", details={"field": "services"}
        )
    return descriptors, _conversion(surface, order.url)


async def _ask(target: Target, rules: AddressRules) -> bytes:
    channel = Channel(target, rules, _MOST_BYTES)
    deadline = time.monotonic() + _REFLECTION_SECONDS
    try:
        return await reflect(await channel.ready(deadline), deadline)
    finally:
        await channel.close()


def _conversion(surface: Surface, url: str) -> Conversion:
    names = Names()
    tools = tuple(_draft(method, names) for method in surface.methods)
    warnings = tuple(
        Finding(f"#/{method}", "Left out: it streams, and only unary methods become tools.")
        for method in surface.left_out
    )
    title = surface.methods[0].service.rpartition(".")[2]
    services = {method.service for method in surface.methods}
    if len(services) > 1:
        title = f"{title} and {len(services) - 1} more"
    return Conversion(title, "1", url, tools, warnings)


def _draft(method: Method, names: Names) -> ToolDraft:
    short = method.service.rpartition(".")[2]
    return ToolDraft(
        name=names.take(clean(f"{short}_{method.name}")),
        title=None,
        description=method.description,
        input_schema=method.input_schema,
        output_schema=method.output_schema,
        source=GrpcSource("", method.service, method.name),
        # A method says nothing of what it does to the world, but for this.
        risk=RiskLevel.READ if method.is_read else RiskLevel.WRITE,
        idempotent=method.is_idempotent,
        deprecated=method.is_deprecated,
    )
