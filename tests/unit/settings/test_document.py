import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.settings.document import read_document


def problem(text: str) -> tuple[str, str]:
    """Place and sentence of the only problem in `text`."""
    (found,) = read_document(text, "f.yaml").problems
    return found.place, found.what


def test_values_are_texts_with_their_places():
    document = read_document("server:\n  port: 8000\n  host: no\n", "f.yaml")
    assert document.problems == ()
    port, host = document.written
    assert (port.key, port.texts, port.is_list) == ("server.port", ("8000",), False)
    assert str(port.key_place) == "f.yaml:2:3"
    assert str(port.text_places[0]) == "f.yaml:2:9"
    assert host.texts == ("no",)  # YAML 1.1 would have made this False


def test_lists_keep_a_place_for_each_item():
    document = read_document("server:\n  allowed_hosts:\n    - a\n    - b\n", "f.yaml")
    (hosts,) = document.written
    assert hosts.is_list
    assert hosts.texts == ("a", "b")
    assert [str(place) for place in hosts.text_places] == ["f.yaml:3:7", "f.yaml:4:7"]


def test_an_empty_list_is_a_value():
    (hosts,) = read_document("server: {allowed_hosts: []}", "f.yaml").written
    assert hosts.is_list
    assert hosts.texts == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "server:\n", "server: null\n", "~"])
def test_an_empty_file_and_an_empty_section_are_fine(text: str):
    document = read_document(text, "f.yaml")
    assert (document.written, document.problems) == ((), ())
    assert set(document.sections) <= {"server"}


def test_a_quoted_empty_text_is_a_value_and_a_missing_one_is_not():
    (url,) = read_document('redis:\n  url: ""\n', "f.yaml").written
    assert url.texts == ("",)
    assert problem("redis:\n  url:\n") == ("f.yaml:2:7", "redis.url has no value.")
    assert problem("server:\n  allowed_hosts: [a, ~]\n")[1] == "server.allowed_hosts has no value."


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("server:\n\tport: 1\n", "f.yaml:2:1", "this is not YAML"),
        ("server: [\n", "f.yaml:2:1", "this is not YAML"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1", "this is not YAML"),
        ("a: \x07\n", "f.yaml:1:1", "this is not YAML"),
        ("- a\n", "f.yaml:1:1", "must hold keys"),
        ("just text\n", "f.yaml:1:1", "must hold keys"),
        ("server: 8000\n", "f.yaml:1:1", "server is a section"),
        ("server:\n  - port\n", "f.yaml:1:1", "server is a section"),
        ("server:\n  port:\n    number: 1\n", "f.yaml:2:3", "two levels deep"),
        ("server:\n  allowed_hosts: [[a]]\n", "f.yaml:2:19", "plain values only"),
        ("server:\n  ? [a]\n  : b\n", "f.yaml:2:5", "plain word"),
        ("server:\n  port: 1\n  port: 2\n", "f.yaml:3:3", "twice; the first is at f.yaml:2:3"),
        ("server: {}\nserver: {}\n", "f.yaml:2:1", "given twice"),
        ("a: &x {}\nb: *x\n", "f.yaml:2:4", "aliases"),
        ("app:\n  name: !!python/name:os.system x\n", "f.yaml:2:9", "tags"),
        ("a: " + "[" * 9 + "]" * 9, "f.yaml:1:11", "too deep"),
    ],
)
def test_faults_are_named_with_their_place(text: str, place: str, says: str):
    found_place, what = problem(text)
    assert found_place == place
    assert says in what


def test_every_fault_of_a_file_is_reported_and_the_rest_is_read():
    document = read_document("server:\n  port:\n  host: [[x]]\n  workers: 2\nredis: 1\n", "f.yaml")
    assert [one.place for one in document.problems] == ["f.yaml:2:8", "f.yaml:3:10", "f.yaml:5:1"]
    assert [one.key for one in document.written] == ["server.workers"]


def test_deep_nesting_does_not_exhaust_the_stack():
    assert "too deep" in problem("[" * 100_000)[1]


@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{}&*!?|>'\"#\n ~,%@`", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str):
    document = read_document(text, "f.yaml")
    assert all(one.place.startswith("f.yaml:") for one in document.problems)
    assert all(one.remedy for one in document.problems)
