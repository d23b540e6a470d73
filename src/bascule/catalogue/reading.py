"""`resources/read`, from what was read a moment ago where the server lets it be kept."""

from typing import Any, Final

import msgspec

from bascule.catalogue.caching import Cache, Fresh, Key
from bascule.gateway.call import Call, Method, Result, ResultKind
from bascule.gateway.principal import Principal
from bascule.gateway.stage import Executor

_MOST_MILLISECONDS: Final = 2**53 - 1


class CachedReads:
    """Executes reads; of `execute` only what the cache does not have."""

    def __init__(self, executor: Executor, cache: Cache[Result]) -> None:
        self._executor = executor
        self._cache = cache

    async def execute(self, call: Call) -> Result:
        """Give the kept result, with what is left of its life, or a new one.

        Answers to questions, and calls whose progress is watched, always go to the server.

        Raises:
            GatewayError: as the executor.
        """
        if call.target is None or call.principal is None:
            raise RuntimeError("a read needs a target and a principal")
        more = call.more
        unlike = (more.input_responses, more.request_state, more.progress_token, more.log_level)
        if any(one is not None for one in unlike):
            return _with_life(await self._executor.execute(call))

        async def fetch() -> Fresh[Result]:
            return _weighed(_with_life(await self._executor.execute(call)))

        key = Key(
            call.principal.tenant,
            call.target.upstream,
            about_read(call.target.inner, call.capabilities.raw),
            scope_of(call.principal),
        )
        fresh = await self._cache.get(key, fetch, call.deadline)
        if fresh.ttl_ms <= 0:
            return fresh.value
        # Not the result's own: it is shared.
        return msgspec.structs.replace(
            fresh.value, body={**fresh.value.body, "ttlMs": fresh.ttl_ms}
        )


def _with_life(result: Result) -> Result:
    """Servers of the handshake era say nothing of it; theirs is the caller's alone, and over."""
    if result.kind is not ResultKind.COMPLETE or result.is_error:
        return result
    if "ttlMs" in result.body and "cacheScope" in result.body:
        return result
    body = {**result.body, "ttlMs": 0, "cacheScope": "private"}
    return msgspec.structs.replace(result, body=body)


def about_read(uri: str, capabilities: bytes = b"{}") -> str:
    """What tells reads apart: a server may answer by what its caller can be asked."""
    return f"{Method.RESOURCES_READ} {capabilities.decode()} {uri}"


def scope_of(principal: Principal) -> str:
    """Whose a private answer is: one credential's of one caller."""
    return f"{principal.owner}\0{principal.key_id or ''}"


def _weighed(result: Result) -> Fresh[Result]:
    if result.kind is not ResultKind.COMPLETE or result.is_error:
        return Fresh(result)
    ttl = _plain(result.body.get("ttlMs"))
    fit = isinstance(ttl, int) and not isinstance(ttl, bool) and 0 < ttl <= _MOST_MILLISECONDS
    size = sum(len(bytes(one)) for one in result.body.values() if isinstance(one, msgspec.Raw))
    public = _plain(result.body.get("cacheScope")) == "public"
    return Fresh(result, ttl if fit else 0, public, size)


def _plain(value: object) -> Any:
    if not isinstance(value, msgspec.Raw):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
