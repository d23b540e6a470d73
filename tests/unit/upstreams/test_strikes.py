"""No form in which a service repeats a secret gets past."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.strikes import HIDDEN, strike_body, strike_text

SECRET = "s3cr3t/TOKEN"
# What headers may hold (RFC 9110 section 5.5), less the signs of what is put in place of secrets.
_CODES = (9, *range(32, 91), 92, *range(94, 127), *range(160, 256))
HEADER_TEXT = st.sampled_from([chr(one) for one in _CODES])


@pytest.mark.parametrize(
    "told",
    [
        "bad key s3cr3t/TOKEN!",
        r"bad key s3cr3t\/TOKEN!",
        r"bad key s3cr3t\\\/TOKEN!",
        r"bad key s3cr3t\u002fTOKEN!",
        r"bad key s3cr3t\u002FTOKEN!",
        r"bad key \u00733cr3t/TOKE\u004e!",
    ],
)
def test_every_escaped_form_is_struck_out(told: str) -> None:
    assert strike_text(told, [SECRET]) == f"bad key {HIDDEN}!"
    assert strike_body(told.encode(), [SECRET]) == f"bad key {HIDDEN}!".encode()
    wide = strike_body(told.encode("utf-16"), [SECRET])
    assert wide.decode("utf-16") == f"bad key {HIDDEN}!"


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    body = rb'{"path": "a\/b", "text": "s3cr3t\nTOKEN"}'
    assert strike_body(body, [SECRET]) is body
    assert strike_body(body, []) is body
    wide = "s3cr3t".encode("utf-16")
    assert strike_body(wide, [SECRET]) is wide


def test_characters_beyond_ascii_are_struck_out_in_either_coding() -> None:
    for codec in ("utf-8", "latin-1"):
        assert strike_body("my pässwörd".encode(codec), ["pässwörd"]) == b"my [removed]"
    assert strike_body(rb'"p\u00e4ssw\u00F6rd"', ["pässwörd"]) == b'"[removed]"'


@given(st.text(HEADER_TEXT, min_size=8, max_size=30), st.integers(1, 3))
def test_no_secret_survives_however_deep_in_json(secret: str, depth: int) -> None:
    told = f"<{secret}>"
    for _ in range(depth):
        told = json.dumps(told)
    struck = strike_text(told, [secret])
    for _ in range(depth):
        struck = json.loads(struck)
    assert secret not in struck
    assert HIDDEN in strike_body(told.encode(), [secret]).decode()


@pytest.mark.parametrize(
    ("secret", "piece"),
    [
        ("\\" * 12 + "x", "\\"),
        ("a" * 30 + "b", "a\\"),
        ("\\u005c" * 4, "\\u005c"),
        (SECRET, "s3cr3t\\"),
    ],
)
def test_no_body_takes_long(secret: str, piece: str) -> None:
    body = (piece * (200_000 // len(piece))).encode()
    began = time.process_time()
    strike_body(body, [secret])
    assert time.process_time() - began < 2
