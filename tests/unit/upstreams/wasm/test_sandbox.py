from collections.abc import Iterator
from dataclasses import replace

import pytest

from bascule.upstreams.wasm.compiling import ModuleRefused
from bascule.upstreams.wasm.limits import SandboxLimits
from bascule.upstreams.wasm.sandbox import ModuleFailed, Sandbox
from fakes.modules import CROOKED, module

LIMITS = SandboxLimits(fuel=5_000_000, memory_bytes=1 << 20, module_bytes=10_000)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    one = Sandbox(LIMITS)
    yield one
    one.close()


async def run(sandbox: Sandbox, function: str, arguments: bytes = b"{}") -> bytes:
    compiled = await sandbox.compile(module(), [function])
    return await sandbox.run(compiled, function, arguments)


async def test_arguments_come_in_and_results_come_out(sandbox: Sandbox) -> None:
    assert await run(sandbox, "echo", b'{"a": "\xc3\xa9"}') == b'{"a": "\xc3\xa9"}'


async def test_calls_share_nothing(sandbox: Sandbox) -> None:
    compiled = await sandbox.compile(module(), ["echo"])
    for _ in range(100):  # the module never frees: in one instance its memory would run out
        assert len(await sandbox.run(compiled, "echo", b"x" * 10_000)) == 10_000


@pytest.mark.parametrize(
    ("function", "said", "bounded"),
    [
        ("spin", "computed longer", True),
        ("deep", "out of stack", True),
        ("big", "larger than a result may be", True),
        ("hoard", "larger than a result may be", True),
        ("far", "outside of its memory", False),
        ("trap", "unreachable", False),
    ],
)
async def test_what_a_module_does_wrong_ends_its_call_alone(
    sandbox: Sandbox, function: str, said: str, bounded: bool
) -> None:
    with pytest.raises(ModuleFailed) as failure:
        await run(sandbox, function)
    assert said in str(failure.value)
    assert failure.value.was_bounded is bounded
    assert await run(sandbox, "echo") == b"{}"


async def test_time_ends_what_has_fuel_without_end() -> None:
    sandbox = Sandbox(replace(LIMITS, fuel=1 << 60, seconds=0.05))
    with pytest.raises(ModuleFailed, match=r"took longer than 0\.05 seconds"):
        await run(sandbox, "spin")
    assert await run(sandbox, "echo") == b"{}"
    sandbox.close()


async def test_a_place_outside_of_the_memory_is_not_written_to(sandbox: Sandbox) -> None:
    compiled = await sandbox.compile(module(CROOKED), ["echo"])
    with pytest.raises(ModuleFailed, match="outside of its memory"):
        await sandbox.run(compiled, "echo", b"{}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('(module (import "wasi" "clock" (func)))', "imports wasi.clock"),
        ("(module)", "exports no memory"),
        ('(module (memory (export "memory") 1))', "no function alloc"),
        (
            (
                '(module (memory (export "memory") 1)'
                ' (func (export "alloc") (param i32) (result i32) (i32.const 0)))'
            ),
            "no function echo",
        ),
    ],
)
async def test_a_module_that_cannot_be_used_is_refused(
    sandbox: Sandbox, text: str, said: str
) -> None:
    with pytest.raises(ModuleRefused, match=said):
        await sandbox.compile(module(text), ["echo"])


@pytest.mark.parametrize(
    ("content", "said"), [(b"junk", "not valid"), (b"x" * 10_001, "more than 10000 bytes")]
)
async def test_what_is_no_module_is_refused(sandbox: Sandbox, content: bytes, said: str) -> None:
    with pytest.raises(ModuleRefused, match=said):
        await sandbox.compile(content, ["echo"])


async def test_a_function_of_another_type_is_no_tool(sandbox: Sandbox) -> None:
    with pytest.raises(ModuleRefused, match="no function wrong"):
        await sandbox.compile(module(), ["wrong"])
