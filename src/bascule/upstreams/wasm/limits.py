"""What a module may use up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds of one call, and of modules.

    `fuel` is counted by wasmtime, about one for each instruction: a thousand million take some
    0.1 seconds. `seconds` end a call that is slow all the same. `concurrent_calls` run side by
    side, each in a thread; more wait.
    """

    fuel: int = 1_000_000_000
    memory_bytes: int = 67_108_864
    seconds: float = 5.0
    output_bytes: int = 1_048_576
    module_bytes: int = 4_194_304
    concurrent_calls: int = 4
    compile_seconds: float = 30.0
    """Of computing, for one module."""
