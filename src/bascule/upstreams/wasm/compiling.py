"""Compiles modules in a process of its own, which can be ended: a thread that compiles cannot.

What compiling takes grows faster than the module: one of 100 kB can be written to take minutes.
As a program, it reads a module and writes what it is compiled to.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from bascule.upstreams.wasm.library import load

_STACK_BYTES: Final = 1 << 20
_MOST_REASON: Final = 200
_PATIENCE: Final = 3
"""How many times the seconds of computing it may take by the clock, on a busy machine."""
_INVALID: Final = 3
_MOST_BYTES: Final = 4 << 30
"""Of address space."""
_KEPT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment, which holds secrets."""


class ModuleRefused(ValueError):
    """The module cannot be used here; the text says why, for who wrote it."""


class ModuleSlow(ModuleRefused):
    """It takes longer to compile than a module may."""


def engine_config(wasm: Any) -> Any:
    """How modules are compiled, and so how they must be run."""
    config = wasm.Config()
    config.consume_fuel = True
    config.epoch_interruption = True
    config.max_wasm_stack = _STACK_BYTES
    config.wasm_threads = False
    return config


async def compile_apart(module: bytes, seconds: float) -> bytes:
    """What `module` is compiled to, with at most `seconds` of computing.

    Raises:
        ModuleSlow: that was not enough.
        ModuleRefused: it is no module.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__, str(max(1, round(seconds)))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(os.environ),
    )
    try:
        async with asyncio.timeout(seconds * _PATIENCE):
            compiled, said = await process.communicate(module)
    except TimeoutError:
        raise _slow(seconds) from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode == 0:
        return compiled
    if process.returncode == _INVALID:
        raise ModuleRefused(f"it is not valid: {said.decode(errors='replace')[:_MOST_REASON]}")
    raise _slow(seconds)


def main() -> int:
    """Compile what comes in, within as many seconds of computing as the argument says."""
    _bound(int(sys.argv[1]))
    wasm = load()
    config = engine_config(wasm)
    config.parallel_compilation = False
    try:
        compiled = wasm.Module(wasm.Engine(config), sys.stdin.buffer.read())
    except wasm.WasmtimeError as error:
        sys.stderr.write(" ".join(str(error).split())[:_MOST_REASON])
        return _INVALID
    sys.stdout.buffer.write(compiled.serialize())
    return 0


def _bound(seconds: int) -> None:
    """End this process after so much computing, even where nobody is left to end it.

    What would take all memory takes this process alone.
    """
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))


def _slow(seconds: float) -> ModuleSlow:
    return ModuleSlow(
        f"compiling it takes more than {seconds:g} seconds, or too much memory; divide its largest "
        "functions"
    )


def _environment(whole: Mapping[str, str]) -> Mapping[str, str]:
    return {name: whole[name] for name in _KEPT if name in whole}


if __name__ == "__main__":
    sys.exit(main())
