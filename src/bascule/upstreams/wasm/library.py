"""wasmtime, loaded when the first module is met: few installations have one."""

from importlib import import_module
from typing import Any, ClassVar

from bascule.gateway.errors import ErrorCode, GatewayError


class WasmMissing(GatewayError):
    """The optional library is not installed."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "WebAssembly modules need an optional library. Install it with: pip install "
            "'bascule[wasm]'"
        )


def load() -> Any:
    """The package wasmtime, untyped where it is.

    Raises:
        WasmMissing: it is not installed.
    """
    try:
        return import_module("wasmtime")
    except ImportError:
        raise WasmMissing from None
