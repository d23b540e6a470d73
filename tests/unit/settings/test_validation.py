from pathlib import Path

import pytest

from bascule.settings.entry import Entry, Layer, given
from bascule.settings.model import Settings
from bascule.settings.problem import Problem
from bascule.settings.validation import Validation


def validate(*entries: Entry, **environ: str) -> tuple[Settings, list[Problem]]:
    validation = Validation({entry.key: entry for entry in entries}, environ, Path())
    return validation.run(), validation.problems


def problems(*entries: Entry, **environ: str) -> list[Problem]:
    return validate(*entries, **environ)[1]


def given_in_file(key: str, *texts: str) -> Entry:
    places = tuple(f"f.yaml:{line}:1" for line in range(1, len(texts) + 1))
    return Entry(key, key, Layer.FILE, texts, len(texts) > 1, "f.yaml:1", "f.yaml:1:1", places)


def variable(key: str, value: str) -> Entry:
    return given(Layer.ENVIRONMENT, key, f"BASCULE_{key}", value)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("server.port", "8080", 8080),
        ("server.allow_remote", "yes", True),
        ("observability.metrics_enabled", "false", False),
        ("server.request_timeout_seconds", "2.5", 2.5),
        ("server.allowed_hosts", "a, b,,", ("a", "b")),
        ("server.allowed_hosts", "", ()),
        ("app.name", "007", "007"),
    ],
)
def test_texts_become_what_the_setting_is(key: str, text: str, value: object):
    settings, found = validate(variable(key, text))
    assert found == []
    section, _, name = key.partition(".")
    assert getattr(getattr(settings, section), name) == value


@pytest.mark.parametrize(
    ("key", "text", "what", "remedy"),
    [
        ("server.port", "x", "is 'x', which is not a whole number from 0 to 65535", "8000"),
        ("server.port", "true", "a whole number", "8000"),
        ("server.allow_remote", "maybe", "true or false", "default, false"),
        ("observability.log_level", "inof", "one of debug, info", "Did you mean info?"),
        ("audit.mode", "batched", "is not strict", "strict"),
        ("database.url", "mysql://u:hunter2@h", "does not start with a database", "postgresql://"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(key: str, text: str, what: str, remedy: str):
    (problem,) = problems(variable(key, text))
    assert problem.place == f"environment BASCULE_{key}"
    assert what in problem.what
    assert remedy in problem.remedy
    assert "hunter2" not in str(problem)


def test_the_value_behind_a_reference_is_not_repeated():
    (problem,) = problems(given_in_file("server.port", "${SECRET}"), SECRET="hunter2")
    assert "'${SECRET}'" in problem.what
    assert "hunter2" not in str(problem)


def test_references_outside_files_are_plain_text():
    settings, _ = validate(variable("app.name", "${HOME}"), HOME="x")
    assert settings.app.name == "${HOME}"


def test_a_list_for_one_value_is_refused():
    (problem,) = problems(given_in_file("server.port", "1", "2"))
    assert "takes one value" in problem.what


def test_each_wrong_item_is_reported_at_its_own_place():
    found = problems(given_in_file("server.allowed_hosts", "a", "b c", "d/e"))
    assert [problem.place for problem in found] == ["f.yaml:2:1", "f.yaml:3:1"]


def test_each_reference_to_nothing_is_reported():
    found = problems(given_in_file("server.allowed_hosts", "${A}", "ok", "${B}"))
    assert [(problem.place, problem.remedy[:5]) for problem in found] == [
        ("f.yaml:1:1", "Set A"),
        ("f.yaml:3:1", "Set B"),
    ]


def test_sound_settings_beside_a_faulty_one_are_still_held_against_each_other():
    found = problems(variable("server.port", "x"), variable("server.host", "10.0.0.1"))
    assert [problem.key for problem in found] == ["server.port", "server.host"]


def test_no_contradiction_is_invented_from_a_faulty_setting():
    entries = variable("server.workers", "4"), variable("redis.url", "http://h")
    assert [problem.key for problem in problems(*entries)] == ["redis.url"]
