import sys

import pytest

from bascule.upstreams.wasm.library import WasmMissing, load


def test_wasmtime_is_found() -> None:
    assert load().Engine


def test_without_it_an_operator_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(WasmMissing, match=r"pip install 'bascule\[wasm\]'"):
        load()
