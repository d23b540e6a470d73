"""The custom sections of a WebAssembly module, read without running or compiling it.

Source: WebAssembly Core Specification 2.0, section 5.5 (modules, custom sections) and 5.2.2
(LEB128 integers).
"""

from typing import Final

MAGIC: Final = b"\0asm\x01\0\0\0"
_CUSTOM: Final = 0
_MOST_LEB_BYTES: Final = 5


class NotAModule(ValueError):
    """The bytes are no WebAssembly module."""


def custom_section(module: bytes, name: str) -> bytes | None:
    """The content of the first custom section called `name`; None where there is none.

    Raises:
        NotAModule: the bytes do not have the form of a module.
    """
    if not module.startswith(MAGIC):
        raise NotAModule("it does not begin as a WebAssembly module does")
    wanted = name.encode()
    position = len(MAGIC)
    while position < len(module):
        kind = module[position]
        size, start = _number(module, position + 1)
        end = start + size
        if end > len(module):
            raise NotAModule("a section is longer than the module")
        if kind == _CUSTOM:
            length, named = _number(module, start)
            if module[named : named + length] == wanted and named + length <= end:
                return module[named + length : end]
        position = end
    return None


def _number(module: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 of at most 32 bits, and where the bytes after it begin."""
    value = 0
    for count in range(_MOST_LEB_BYTES):
        if position + count >= len(module):
            raise NotAModule("it ends in the middle of a number")
        byte = module[position + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if value >= 1 << 32:
                break
            return value, position + count + 1
    raise NotAModule("a number in it is too large")
