"""What is measured: the upstream alone, a bare proxy and a gateway in front of it."""

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from bench.children import Child, running
from bench.gateway import Start, governed
from bench.operations import Address, Kind, Operation
from bench.rules import REGO_POLICY
from bench.tokens import issuing


class Name(StrEnum):
    """The targets, in the order they are measured."""

    UPSTREAM = "upstream"
    BARE = "bare"
    GOVERNED = "governed"
    TOKEN = "token"  # noqa: S105 - the same gateway, called with an access token
    RULES = "rules"
    """A gateway with ten thousand rules."""
    REGO = "rego"
    """A gateway whose calls a policy in Rego decides about, with an answer that it keeps."""


MANY_RULES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """Something to be measured: where it listens, and the process whose CPU time counts."""

    name: Name
    address: Address
    child: Child


@asynccontextmanager
async def started(
    names: Sequence[Name], operation: Operation, start: Start, scratch: Path
) -> AsyncGenerator[tuple[Address, list[Target]]]:
    """Start the upstream, and the targets named; yields the upstream's address and the targets.

    `start` is how to start the gateway. All processes have ended when the block is left.

    Raises:
        ChildFailed: a process did not start.
    """
    async with AsyncExitStack() as stack:
        service = [sys.executable, "-m", "bench.upstream"]
        upstream = await _service(stack, Name.UPSTREAM, service, scratch)
        targets = [upstream] if Name.UPSTREAM in names else []
        address = upstream.address
        if Name.BARE in names:
            proxy = [sys.executable, "-m", "bench.bare", address.host, str(address.port)]
            targets.append(await _service(stack, Name.BARE, proxy, scratch))
        wanted = [name for name in (Name.GOVERNED, Name.TOKEN) if name in names]
        if wanted:
            url = f"http://{address.host}:{address.port}"
            issuer = await stack.enter_async_context(issuing())
            child, mcp = await stack.enter_async_context(
                governed(start, scratch, url, operation, issuer)
            )
            by_token = replace(mcp, key=issuer.token)
            targets += [
                Target(name, mcp if name is Name.GOVERNED else by_token, child) for name in wanted
            ]
        url = f"http://{address.host}:{address.port}"
        for name, special in _specials(start).items():
            if name in names:
                issuer = await stack.enter_async_context(issuing())
                child, mcp = await stack.enter_async_context(
                    governed(special, scratch, url, operation, issuer)
                )
                targets.append(Target(name, mcp, child))
        yield address, targets


def _specials(start: Start) -> dict[Name, Start]:
    """Gateways that are like the governed one but for their rules."""
    return {
        Name.RULES: replace(start, rules=MANY_RULES, name="rules"),
        Name.REGO: replace(start, policies=(REGO_POLICY,), name="rego"),
    }


async def _service(
    stack: AsyncExitStack, name: Name, command: Sequence[str], scratch: Path
) -> Target:
    child = await stack.enter_async_context(running(name, command, scratch=scratch))
    port = int((await child.announced())["port"])
    return Target(name, Address(Kind.REST, "127.0.0.1", port), child)
