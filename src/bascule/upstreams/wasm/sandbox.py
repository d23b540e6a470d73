"""Runs functions of modules: each call in an instance of its own, in a thread, within limits.

A module imports nothing, so it can do nothing but compute. It exports its `memory`, a function
`alloc(size: i32) -> i32`, and for each tool a function `(pointer: i32, length: i32) -> i64` from
arguments to result, both UTF-8 JSON; the result's pointer is in the upper half of the i64, its
length in the lower one.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bascule.upstreams.wasm.compiling import ModuleRefused, compile_apart, engine_config
from bascule.upstreams.wasm.library import load
from bascule.upstreams.wasm.limits import SandboxLimits

_TICK_SECONDS: Final = 0.01
_MOST_REASON: Final = 200
_MASK: Final = 0xFFFFFFFF


class ModuleFailed(Exception):
    """A call did not come to a result. `was_bounded`: it used up what it was given."""

    def __init__(self, reason: str, *, was_bounded: bool = False) -> None:
        super().__init__(reason)
        self.was_bounded = was_bounded


class Sandbox:
    """Compiles modules and runs them. Shared by all modules of a process."""

    def __init__(self, limits: SandboxLimits) -> None:
        """Raises WasmMissing where wasmtime is not installed."""
        self._wasm = load()
        self._limits = limits
        self._engine = self._wasm.Engine(engine_config(self._wasm))
        self._compiling = asyncio.Semaphore(1)
        self._threads = ThreadPoolExecutor(limits.concurrent_calls, "wasm")
        self._clock = _Clock(self._engine.increment_epoch)

    async def compile(self, module: bytes, functions: Sequence[str]) -> Any:
        """Compile `module`, and see that it has `functions` of the right type.

        Raises:
            ModuleRefused: it is none, imports something, or lacks an export.
            ModuleSlow: compiling took too long.
        """
        if len(module) > self._limits.module_bytes:
            raise ModuleRefused(f"it has more than {self._limits.module_bytes} bytes")
        async with self._compiling:
            code = await compile_apart(module, self._limits.compile_seconds)
        return await self._in_thread(self._load, code, tuple(functions))

    async def run(self, compiled: Any, function: str, arguments: bytes) -> bytes:
        """Call `function` with `arguments`, and give the bytes of its result.

        Cancelling leaves the call to its bounds.

        Raises:
            ModuleFailed: it trapped, ran out of something, or gave no result.
        """
        return await self._in_thread(self._run, compiled, function, arguments)

    def close(self) -> None:
        """Take no more calls; those under way end by their bounds."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Any, *parts: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *parts)

    def _load(self, code: bytes, functions: tuple[str, ...]) -> Any:
        compiled = self._wasm.Module.deserialize(self._engine, code)
        imports = [f"{one.module}.{one.name}" for one in compiled.imports]
        if imports:
            raise ModuleRefused(
                f"it imports {', '.join(imports[:5])}, and a module gets nothing from outside; "
                "build it without WASI"
            )
        self._check_exports(compiled, functions)
        return compiled

    def _check_exports(self, compiled: Any, functions: tuple[str, ...]) -> None:
        types = {one.name: one.type for one in compiled.exports}
        if not isinstance(types.get("memory"), self._wasm.MemoryType):
            raise ModuleRefused("it exports no memory")
        if _signature(types.get("alloc")) != (["i32"], ["i32"]):
            raise ModuleRefused("it exports no function alloc(i32) -> i32")
        for name in functions:
            if _signature(types.get(name)) != (["i32", "i32"], ["i64"]):
                raise ModuleRefused(f"it exports no function {name[:100]}(i32, i32) -> i64")

    def _run(self, compiled: Any, function: str, arguments: bytes) -> bytes:
        limits = self._limits
        store = self._wasm.Store(self._engine)
        store.set_fuel(limits.fuel)
        store.set_limits(
            memory_size=limits.memory_bytes,
            instances=1,
            memories=1,
            tables=1,
            table_elements=10_000,
        )
        store.set_epoch_deadline(int(limits.seconds / _TICK_SECONDS) + 1)
        try:
            with self._clock:
                instance = self._wasm.Instance(store, compiled, [])
                return self._exchange(store, instance.exports(store), function, arguments)
        except (self._wasm.Trap, self._wasm.WasmtimeError) as error:
            raise _named(error, limits) from None

    def _exchange(self, store: Any, exports: Any, function: str, arguments: bytes) -> bytes:
        memory = exports["memory"]
        pointer = exports["alloc"](store, len(arguments)) & _MASK
        if pointer + len(arguments) > memory.data_len(store):
            raise ModuleFailed("alloc gave a place outside of its memory")
        memory.write(store, arguments, pointer)
        packed = exports[function](store, pointer, len(arguments))
        start, length = (packed >> 32) & _MASK, packed & _MASK
        if length > self._limits.output_bytes:
            raise ModuleFailed("the result is larger than a result may be", was_bounded=True)
        if start + length > memory.data_len(store):
            raise ModuleFailed("the result is outside of its memory")
        return bytes(memory.read(store, start, start + length))


class _Clock:
    """Advances the engine's epoch while any call runs, which ends one that takes too long."""

    def __init__(self, tick: Any) -> None:
        self._tick = tick
        self._lock = threading.Lock()
        self._running = 0
        self._idle = threading.Event()

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1
            if self._running == 1:
                self._idle = threading.Event()
                threading.Thread(
                    target=self._run, args=[self._idle], name="wasm-clock", daemon=True
                ).start()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _run(self, idle: threading.Event) -> None:
        due = time.monotonic() + _TICK_SECONDS
        while not idle.wait(max(0.0, due - time.monotonic())):
            self._tick()
            due += _TICK_SECONDS


def _signature(kind: Any) -> tuple[list[str], list[str]] | None:
    if kind is None or not hasattr(kind, "params"):
        return None
    return [str(one) for one in kind.params], [str(one) for one in kind.results]


def _named(error: Exception, limits: SandboxLimits) -> ModuleFailed:
    text = str(error)
    if "all fuel consumed" in text:
        return ModuleFailed("it computed longer than a call may", was_bounded=True)
    if "interrupt" in text:
        return ModuleFailed(f"it took longer than {limits.seconds:g} seconds", was_bounded=True)
    if "stack" in text:
        return ModuleFailed("it ran out of stack", was_bounded=True)
    if "memory" in text and "limit" in text:
        return ModuleFailed("it needs more memory than a call may have", was_bounded=True)
    return ModuleFailed(f"it trapped: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:_MOST_REASON]
