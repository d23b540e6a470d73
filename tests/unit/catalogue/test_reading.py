import msgspec
import pytest

from bascule.catalogue.caching import Cache
from bascule.catalogue.reading import CachedReads
from bascule.gateway.call import Call, JsonObject, Method, More, Result, ResultKind
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from fakes.catalogue import make_principal
from fakes.executor import FakeExecutor

NOTE = Target(ItemKind.RESOURCE, "alpha", "note://x", "alpha", "note://x")


def body_of(**members: bytes) -> JsonObject:
    return {name: msgspec.Raw(value) for name, value in {"contents": b"[]", **members}.items()}


def read(principal: Principal | None = None, **more: object) -> Call:
    call = Call(Method.RESOURCES_READ, "c-1", principal=principal or make_principal())
    call.more = More(uri="note://x", **more)  # type: ignore[arg-type]
    call.target = NOTE
    return call


FRESH = Result(body_of(ttlMs=b"60000", cacheScope=b'"private"'))


async def test_a_fresh_result_is_given_again_with_what_is_left_of_its_life() -> None:
    upstream = FakeExecutor(FRESH)
    reads = CachedReads(upstream, Cache())
    await reads.execute(read())
    again = await reads.execute(read())
    assert len(upstream.calls) == 1
    left = again.body["ttlMs"]
    assert isinstance(left, int)
    assert 0 < left <= 60_000
    assert again.body["contents"] == FRESH.body["contents"]


async def test_another_caller_or_another_key_of_the_same_reads_anew() -> None:
    upstream = FakeExecutor(FRESH)
    reads = CachedReads(upstream, Cache())
    ann = make_principal()
    keyed = Principal(ann.tenant, ann.subject, ann.roles, ann.permissions, key_id="k-2")
    for principal in (ann, make_principal("bob"), keyed):
        await reads.execute(read(principal))
    assert len(upstream.calls) == 3


async def test_what_a_server_calls_public_is_read_once_for_all() -> None:
    upstream = FakeExecutor(Result(body_of(ttlMs=b"60000", cacheScope=b'"public"')))
    reads = CachedReads(upstream, Cache())
    for subject in ("ann", "bob"):
        await reads.execute(read(make_principal(subject)))
    assert len(upstream.calls) == 1


async def test_what_a_caller_can_be_asked_may_change_the_answer() -> None:
    upstream = FakeExecutor(FRESH)
    reads = CachedReads(upstream, Cache())
    await reads.execute(read())
    call = read()
    call.capabilities = read_capabilities(b'{"roots":{}}')
    await reads.execute(call)
    assert len(upstream.calls) == 2


QUESTION = Result({}, kind=ResultKind.INPUT_REQUIRED)


@pytest.mark.parametrize(
    "more",
    [
        {"input_responses": b"{}"},
        {"request_state": "s"},
        {"progress_token": 0},
        {"log_level": "info"},
    ],
)
async def test_what_is_no_plain_read_always_goes_to_the_server(more: dict[str, object]) -> None:
    upstream = FakeExecutor(FRESH)
    reads = CachedReads(upstream, Cache())
    await reads.execute(read())
    assert await reads.execute(read(**more)) is FRESH
    assert len(upstream.calls) == 2


@pytest.mark.parametrize(
    "result",
    [
        Result(body_of()),
        Result(body_of(ttlMs=b"0")),
        Result(body_of(ttlMs=b"-1")),
        Result(body_of(ttlMs=b"true")),
        Result(body_of(ttlMs=b'"60000"')),
        Result(body_of(ttlMs=b"60000.5")),
        Result(body_of(ttlMs=b"not json")),
        Result(body_of(ttlMs=b"60000"), is_error=True),
        Result(body_of(ttlMs=b"60000"), kind=ResultKind.INPUT_REQUIRED),
    ],
)
async def test_what_need_not_hold_is_read_anew(result: Result) -> None:
    upstream = FakeExecutor(result)
    reads = CachedReads(upstream, Cache())
    for _ in range(2):
        found = await reads.execute(read())
        own = {name: found.body[name] for name in result.body if name != "ttlMs"}
        assert own == {name: result.body[name] for name in own}
    assert len(upstream.calls) == 2


@pytest.mark.parametrize("members", [{}, {"ttlMs": b"60000"}, {"cacheScope": b'"public"'}])
async def test_a_read_without_a_word_on_its_life_is_over_and_private(
    members: dict[str, bytes],
) -> None:
    reads = CachedReads(FakeExecutor(Result(body_of(**members))), Cache())
    found = await reads.execute(read())
    assert (found.body["ttlMs"], found.body["cacheScope"]) == (0, "private")


@pytest.mark.parametrize("result", [Result({}, is_error=True), QUESTION])
async def test_an_error_or_a_question_is_passed_on_as_it_is(result: Result) -> None:
    assert await CachedReads(FakeExecutor(result), Cache()).execute(read()) is result


async def test_a_read_of_nothing_is_a_mistake() -> None:
    call = read()
    call.target = None
    with pytest.raises(RuntimeError, match="needs a target"):
        await CachedReads(FakeExecutor(), Cache()).execute(call)
