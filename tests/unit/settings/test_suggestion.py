import pytest

from bascule.settings.entry import Layer, given
from bascule.settings.suggestion import closest, unknown, unknown_section


def remedy(key: str, layer: Layer = Layer.FILE) -> str:
    problem = unknown(given(layer, key, key, "hunter2"))
    assert problem is not None
    assert "hunter2" not in str(problem)
    return problem.remedy


def test_a_known_key_is_no_problem():
    assert unknown(given(Layer.FILE, "server.port", "server.port", "x")) is None


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("server.prot", "Did you mean server.port?"),
        ("sever.port", "Did you mean server.port?"),
        ("server.log_level", "Did you mean observability.log_level?"),
        ("logging.log_level", "Did you mean observability.log_level?"),
        ("server.max-body-bytes", "Did you mean server.max_body_bytes?"),
        ("database.password", "as one URL: database.url"),
        ("redis.db", "as one URL: redis.url"),
        ("audit.zzz", "There are audit.mode, audit.directory, audit.max_segment_bytes."),
        ("zzz.zzz", "The sections are app, server,"),
        ("zzz", "The sections are app, server,"),
    ],
)
def test_what_was_probably_meant_is_named(key: str, says: str):
    assert says in remedy(key)


def test_the_suggestion_is_spelled_as_the_layer_spells_it():
    assert remedy("server.prot", Layer.ENVIRONMENT) == "Did you mean BASCULE_SERVER__PORT?"
    assert remedy("server.prot", Layer.FLAG) == "Did you mean --port?"


def test_a_section_that_does_not_exist_is_named():
    assert unknown_section("server", "f.yaml:1:1") is None
    assert unknown_section("llm", "f.yaml:1:1") is None
    slip, nonsense = unknown_section("sever", "f.yaml:1:1"), unknown_section("zzz", "f.yaml:1:1")
    assert slip is not None
    assert slip.remedy == "Did you mean server?"
    assert nonsense is not None
    assert nonsense.remedy.startswith("The sections are app,")


def test_a_slip_in_a_choice_is_recognised_and_nonsense_is_not():
    assert closest("INOF", ("debug", "info")) == "info"
    assert closest("zzz", ("debug", "info")) is None
    assert closest("x", ()) is None
