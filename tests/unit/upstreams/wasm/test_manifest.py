import pytest

from bascule.gateway.errors import InvalidValue
from bascule.gateway.tool import RiskLevel
from bascule.upstreams.wasm.manifest import SECTION, read_manifest
from fakes.modules import MANIFEST, module, with_section


def test_a_manifest_beside_the_module_is_read() -> None:
    manifest = read_manifest(module(), MANIFEST)
    echo, spin = manifest.tools
    assert (manifest.name, echo.name, echo.function, echo.risk_level) == (
        "text", "echo", "echo", RiskLevel.READ,
    )  # fmt: skip
    assert spin.description == ""


def test_a_manifest_inside_is_read_where_none_is_given() -> None:
    inside = b'{"tools": [{"name": "say", "export": "echo", "risk_level": "write"}]}'
    (say,) = read_manifest(with_section(module(), SECTION, inside), None).tools
    assert (say.name, say.function, say.risk_level) == ("say", "echo", RiskLevel.WRITE)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"tools: [", "cannot be used"),
        (b"tools: []", "tools"),
        (b"tools: [{name: ''}]", "name"),
        (b"tools: [{name: a, colour: red}]", "colour"),
        (b"\xff", "cannot be used"),
        (b"tools: [{name: a, tags: &a [x], input_schema: {x: *a}}]", "aliases"),
        (b"tools: " + b"[" * 1000, "nested deeper"),
        (b"x" * 1_048_577, "at most 1 MiB"),
        (None, "Nothing says what tools the module has"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told(given: bytes | None, said: str) -> None:
    with pytest.raises(InvalidValue) as failure:
        read_manifest(module(), given)
    assert said in failure.value.public


def test_what_is_no_module_is_told() -> None:
    for given in (None, MANIFEST):
        with pytest.raises(InvalidValue, match="no WebAssembly module"):
            read_manifest(b"(module)", given)
