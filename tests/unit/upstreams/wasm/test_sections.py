import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.wasm.sections import MAGIC, NotAModule, custom_section
from fakes.modules import module, with_section


def test_a_section_is_found_behind_others() -> None:
    binary = with_section(with_section(module(), "other", b"x"), "bascule.tools", b"y" * 300)
    assert custom_section(binary, "bascule.tools") == b"y" * 300
    assert custom_section(binary, "other") == b"x"


def test_a_module_need_not_have_it() -> None:
    assert custom_section(module(), "bascule.tools") is None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"junk", MAGIC + b"\0", MAGIC + b"\0\x80", MAGIC + b"\0\xff\xff\xff\xff\xff\x01",
        MAGIC + b"\0\xff\xff\xff\xff\x7f", MAGIC + b"\0\x05ab",
    ],
)  # fmt: skip
def test_what_is_no_module_is_told(content: bytes) -> None:
    with pytest.raises(NotAModule):
        custom_section(content, "bascule.tools")


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(rest: bytes) -> None:
    try:
        found = custom_section(MAGIC + rest, "a")
    except NotAModule:
        return
    assert found is None or found in rest
