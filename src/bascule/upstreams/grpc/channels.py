"""Connections to gRPC services, to addresses that were judged."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from bascule.gateway.errors import UpstreamTimeout, UpstreamUnreachable
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.grpc.library import load
from bascule.upstreams.grpc.targets import Target

_KEEP_ALIVE_MILLISECONDS: Final = 30_000


class Identity(NamedTuple):
    """Mutual TLS in PEM form; without `authorities` those of the system are believed."""

    certificate: str = ""
    key: str = ""
    authorities: str = ""


class Channel:
    """One connection to one service, opened by the first call and again where it was lost."""

    def __init__(
        self,
        target: Target,
        rules: AddressRules,
        most_bytes: int,
        identity: Callable[[], Awaitable[Identity]] | None = None,
    ) -> None:
        """`identity` is asked with each connection over TLS: certificates may change."""
        self._target = target
        self._rules = rules
        self._most_bytes = most_bytes
        self._identity = identity
        self._channel: Any = None
        self._opening = asyncio.Lock()

    async def ready(self, deadline: float) -> Any:
        """The open channel; `deadline` in seconds of `time.monotonic`.

        Raises:
            UpstreamUnreachable: there is no connection; nothing was sent.
            AddressRefused: the rules forbid it.
            GrpcMissing: the libraries are not installed.
        """
        grpc = load("grpc")
        channel = self._channel
        if channel is not None and channel.get_state() is grpc.ChannelConnectivity.READY:
            return channel
        async with self._opening:
            channel = self._channel
            if channel is not None and channel.get_state() is grpc.ChannelConnectivity.READY:
                return channel
            await self._drop()
            self._channel = channel = await self._connect(deadline)
        return channel

    async def close(self, grace_seconds: float | None = None) -> None:
        """Close the connection; calls under way get `grace_seconds`, then they are cancelled."""
        async with self._opening:
            await self._drop(grace_seconds)

    async def _drop(self, grace_seconds: float | None = None) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close(grace_seconds)

    async def _connect(self, deadline: float) -> Any:
        target = self._target
        try:
            addresses = await self._rules.addresses(target.host, target.port)
        except OSError as error:
            raise self._unreachable(f"{target.host} cannot be resolved: {error}") from None
        identity = None if self._identity is None else await self._identity()
        reason = "no address"
        for address in addresses:
            channel = self._open(address, identity or Identity())
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await _until_ready(channel)
            except (TimeoutError, ConnectionError) as failure:
                await channel.close()
                reason = str(failure) or "it did not answer in time"
                continue
            except BaseException:
                await channel.close()
                raise
            return channel
        raise self._unreachable(reason)

    def _open(self, address: str, identity: Identity) -> Any:
        grpc, aio = load("grpc"), load("grpc.aio")
        target = self._target
        host = f"ipv6:[{address}]" if ":" in address else f"ipv4:{address}"
        options: list[tuple[str, Any]] = [
            ("grpc.default_authority", target.authority),
            ("grpc.max_receive_message_length", self._most_bytes),
            ("grpc.keepalive_time_ms", _KEEP_ALIVE_MILLISECONDS),
            ("grpc.enable_retries", 0),  # who retries must know what may be repeated
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        where = f"{host}:{target.port}"
        if not target.is_secure:
            return aio.insecure_channel(where, options=options)
        options.append(("grpc.ssl_target_name_override", target.host))
        credentials = grpc.ssl_channel_credentials(
            root_certificates=identity.authorities.encode() or None,
            private_key=identity.key.encode() or None,
            certificate_chain=identity.certificate.encode() or None,
        )
        return aio.secure_channel(where, credentials, options=options)

    def _unreachable(self, reason: str) -> UpstreamUnreachable:
        return UpstreamUnreachable(
            "The service behind this tool cannot be reached. Nothing was sent to it; try again "
            "later.",
            private=f"{self._target.authority}: {reason}",
        )


async def _until_ready(channel: Any) -> None:
    states = load("grpc").ChannelConnectivity
    state = channel.get_state(try_to_connect=True)
    while state is not states.READY:
        if state in (states.TRANSIENT_FAILURE, states.SHUTDOWN):
            raise ConnectionError("the connection was refused or broke")
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)


def timed_out(service: str) -> UpstreamTimeout:
    """The deadline passed while a call was under way."""
    return UpstreamTimeout(
        "The service behind this tool did not answer in time. It may have acted; check before "
        "repeating the call.",
        private=f"{service}: deadline exceeded",
    )
