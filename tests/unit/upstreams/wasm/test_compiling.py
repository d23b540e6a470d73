"""Modules are compiled where it can be ended, with nothing of this process's environment."""

import asyncio
import time

import pytest

from bascule.upstreams.wasm import compiling
from bascule.upstreams.wasm.compiling import ModuleRefused, ModuleSlow, compile_apart
from bascule.upstreams.wasm.limits import SandboxLimits
from bascule.upstreams.wasm.sandbox import Sandbox
from fakes.modules import module


def slow_module() -> bytes:
    """A small module that takes minutes to compile: as many loops as locals, and all live."""
    body = "".join(
        f"(loop (local.get {2 + number % 2000}) (local.get {2 + number * 7 % 2000}) i32.add "
        f"(local.tee {2 + number * 13 % 2000}) (br_if 0))"
        for number in range(20_000)
    )
    return module(
        '(module (memory (export "memory") 1)'
        ' (func (export "alloc") (param i32) (result i32) (i32.const 0))'
        f' (func (export "run") (param i32 i32) (result i64) (local {"i32 " * 2000})'
        f" {body} (i64.const 0)))"
    )


async def test_what_is_compiled_apart_runs_here() -> None:
    sandbox = Sandbox(SandboxLimits())
    compiled = await sandbox.compile(module(), ["echo"])
    assert await sandbox.run(compiled, "echo", b"{}") == b"{}"
    sandbox.close()


async def test_a_module_that_takes_too_long_to_compile_is_refused_and_ended() -> None:
    content = slow_module()
    assert len(content) < 500_000
    async with asyncio.timeout(30):
        began = time.monotonic()
        with pytest.raises(ModuleSlow, match="more than 1 seconds"):
            await compile_apart(content, 1.0)
        assert time.monotonic() - began < 10


async def test_whoever_is_on_a_loaded_machine_does_not_wait_for_ever() -> None:
    with pytest.raises(ModuleSlow):
        await compile_apart(module(), 0.001)


async def test_what_is_no_module_is_refused_with_the_reason() -> None:
    with pytest.raises(ModuleRefused, match="it is not valid: "):
        await compile_apart(b"\0asm junk", 10.0)


async def test_the_compiler_is_given_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    begin = asyncio.create_subprocess_exec

    async def watched(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        given.append(options["env"])
        return await begin(*arguments, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setenv("BASCULE_SECRET", "hush")
    monkeypatch.setattr(compiling.asyncio, "create_subprocess_exec", watched)
    await compile_apart(module(), 20.0)
    assert "hush" not in repr(given)
