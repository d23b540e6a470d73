"""What a server may serve: that which was approved, to the byte that matters."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.pinning import digest_of, digests_of, hold, news
from bascule.gateway.connector import Pinning
from bascule.gateway.pins import Pin
from fakes.relayed import make_relayed

ONE, TWO = make_relayed("one"), make_relayed("two")
DIGESTS = digests_of([ONE, TWO])
OTHER = b"x" * 32

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5))
def test_a_definition_is_the_same_however_it_is_written(tree: dict[str, object]) -> None:
    reversed_order = dict(reversed(tree.items()))
    assert digest_of(json.dumps(tree).encode()) == digest_of(
        json.dumps(reversed_order, indent=2).encode()
    )


@given(json_values, json_values)
def test_definitions_that_differ_have_digests_that_differ(one: object, two: object) -> None:
    written = [json.dumps({"d": value}, sort_keys=True) for value in (one, two)]
    digests = [digest_of(text.encode()) for text in written]
    assert (digests[0] == digests[1]) is (written[0] == written[1])


def test_only_what_is_as_approved_is_served() -> None:
    pins = {("alpha", "one"): Pin(DIGESTS["one"]), ("alpha", "two"): Pin(OTHER)}
    held = hold("alpha", [ONE, TWO], DIGESTS, pins, Pinning.FIRST_SEEN)
    assert held == ((ONE,), (TWO,))


def test_what_nobody_decided_about_is_not_served() -> None:
    for pinning in (Pinning.FIRST_SEEN, Pinning.MANUAL):
        held = hold("alpha", [ONE], DIGESTS, {("beta", "one"): Pin(DIGESTS["one"])}, pinning)
        assert held == ((), (ONE,))
    waiting = {("alpha", "one"): Pin(seen=DIGESTS["one"])}
    assert hold("alpha", [ONE], DIGESTS, waiting, Pinning.MANUAL).served == ()


def test_a_tool_without_a_digest_is_not_served() -> None:
    assert hold("alpha", [ONE], {}, {("alpha", "one"): Pin()}, Pinning.FIRST_SEEN).served == ()


def test_without_pinning_everything_is_served() -> None:
    assert hold("alpha", [ONE, TWO], DIGESTS, {}, Pinning.OFF).served == (ONE, TWO)


def test_news_are_what_the_pins_do_not_know_yet() -> None:
    assert news("alpha", DIGESTS, {}).unknown == {"one", "two"}
    changed = {("alpha", name): Pin(OTHER) for name in DIGESTS}
    assert news("alpha", DIGESTS, changed).changed == {"one", "two"}
    noted = {("alpha", name): Pin(OTHER, digest) for name, digest in DIGESTS.items()}
    assert not news("alpha", DIGESTS, noted)
    returned = {("alpha", name): Pin(digest, OTHER) for name, digest in DIGESTS.items()}
    assert news("alpha", DIGESTS, returned).returned == {"one", "two"}
    known = {("alpha", name): Pin(digest) for name, digest in DIGESTS.items()}
    assert not news("alpha", DIGESTS, known)


def test_annotations_and_meta_count_as_well() -> None:
    plain = make_relayed("one")
    marked = replace(plain, definition=plain.definition[:-1] + b',"_meta":{"a":1}}')
    assert digests_of([plain]) != digests_of([marked])
