"""WebAssembly modules for tests, good ones and bad ones."""

import wasmtime

MANIFEST = b"""
name: text
tools:
  - name: echo
    description: Gives back what it is given.
    input_schema: {type: object}
  - {name: spin, input_schema: {type: object}}
"""

GOOD = """(module
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (data (i32.const 16) "{\\22$error\\22:\\22no such thing\\22}")
  (data (i32.const 64) "not json")
  (data (i32.const 80) "\\22some text\\22")
  (data (i32.const 96) " [1,2]")
  (func (export "alloc") (param i32) (result i32) (local i32)
    (local.set 1 (global.get $free))
    (global.set $free (i32.add (global.get $free) (local.get 0)))
    (local.get 1))
  (func $at (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
            (i64.extend_i32_u (local.get 1))))
  (func (export "echo") (param i32 i32) (result i64) (call $at (local.get 0) (local.get 1)))
  (func (export "refuse") (param i32 i32) (result i64) (call $at (i32.const 16) (i32.const 26)))
  (func (export "babble") (param i32 i32) (result i64) (call $at (i32.const 64) (i32.const 8)))
  (func (export "text") (param i32 i32) (result i64) (call $at (i32.const 80) (i32.const 11)))
  (func (export "list") (param i32 i32) (result i64) (call $at (i32.const 96) (i32.const 6)))
  (func (export "spin") (param i32 i32) (result i64) (loop br 0) i64.const 0)
  (func $deep (export "deep") (param i32 i32) (result i64) (call $deep (i32.const 0) (i32.const 0)))
  (func (export "far") (param i32 i32) (result i64) (call $at (i32.const -1) (i32.const 16)))
  (func (export "big") (param i32 i32) (result i64) (call $at (i32.const 0) (i32.const -1)))
  (func (export "trap") (param i32 i32) (result i64) unreachable)
  (func (export "hoard") (param i32 i32) (result i64)
    (call $at (i32.const 0) (memory.grow (i32.const 60000))))
  (func (export "wrong") (result i32) (i32.const 0)))"""

CROOKED = """(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const -16))
  (func (export "echo") (param i32 i32) (result i64) (i64.const 0)))"""


def module(text: str = GOOD) -> bytes:
    """The binary form of a module in text form."""
    return bytes(wasmtime.wat2wasm(text))


def with_section(binary: bytes, name: str, content: bytes) -> bytes:
    """`binary` with one more custom section."""
    named = _leb(len(name.encode())) + name.encode() + content
    return binary + b"\0" + _leb(len(named)) + named


def _leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
