import json

import pytest

from bascule.rego.evaluating import Document, Unusable

HEAD = "package bascule.authz\n"


def _decided(rules: str, given: object = None, data: str = "{}") -> tuple[bool, str]:
    document = Document({"a.rego": HEAD + rules}, data)
    return document.decide(json.dumps(given or {}).encode())


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("allow := true", True),
        ("default allow := false", False),
        ("allow if input.nothing", False),
        ("other := true", False),
        ("allow := 1", False),
        ('allow := "true"', False),
        ('allow := "<undefined>"', False),
        ("allow := [true]", False),
        ("allow contains true", False),
        ("allow := null", False),
    ],
)
def test_only_true_itself_is_leave(rules: str, allowed: bool) -> None:
    assert _decided(rules)[0] is allowed


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ('reason := "late"', "late"),
        ("reason := input.nothing", ""),
        ("", ""),
        ("reason := 1", ""),
        ('reason := ["late"]', ""),
        ('reason := "<undefined>"', "<undefined>"),
        (f'reason := "{"x" * 900}{"y" * 900}"', "x" * 900 + "y" * 100),
    ],
)
def test_a_reason_is_a_text_of_bounded_length(rules: str, reason: str) -> None:
    assert _decided(rules)[1] == reason


def test_an_answer_is_about_its_own_input() -> None:
    document = Document({"a.rego": HEAD + "allow if input.user in data.users"}, '{"users":["ann"]}')
    given = [b'{"user":"ann"}', b'{"user":"bob"}', b"{}", b'{"user":"ann"}']
    assert [document.decide(one)[0] for one in given] == [True, False, False, True]


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ("allow := true\nallow := false", "a.rego:3:1: rule conflicts"),
        ("allow if 1 / 0 == 1", "divide by zero"),
        ("allow if not regex.match(`(`, `a`)", "invalid regex"),
        ("allow := http.send({})", "http.send is not available: a policy cannot call out"),
        ("allow := opa.runtime()", "opa.runtime is not available"),
        ("allow if nobody.defined(1)", "could not find function nobody.defined"),
        ("allow := reason\nreason := allow", "recursion"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(rules: str, why: str) -> None:
    with pytest.raises(Unusable) as caught:
        _decided(rules)
    assert why in str(caught.value)
    assert "backtrace" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [b"", b"{", b"\xff", b"{} {}"])
def test_an_input_that_is_no_json_has_no_answer(given: bytes) -> None:
    with pytest.raises(Unusable):
        Document({"a.rego": HEAD + "allow := true"}, "{}").decide(given)


@pytest.mark.parametrize("data", ["", "[1]", "{", "null"])
def test_data_that_is_no_object_is_not_loaded(data: str) -> None:
    with pytest.raises(Unusable):
        Document({"a.rego": HEAD}, data)


def test_the_time_is_that_of_the_input() -> None:
    rules = "allow if time.now_ns() == input.wanted"
    assert _decided(rules, {"time_ns": 1_795_341_600_000_000_000, "wanted": 1_795_341_600 * 10**9})
    with pytest.raises(Unusable, match="this input has none"):
        _decided(rules, {})


def test_what_a_policy_prints_is_nobodys_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert _decided('allow if print("secret")')[0]
    assert _decided('allow if print("secret", input.nothing)')[0]
    assert capfd.readouterr() == ("", "")


def test_a_query_has_its_values_or_none() -> None:
    document = Document({"a.rego": HEAD + "x := {1}\ny if input.z\nf(a) := a"}, "{}")
    assert json.loads(document.values("data.bascule.authz.x", b"{}")) == [[1]]
    assert document.values("data.bascule.authz.y", b"{}") == b"[]"
    assert document.values("data.bascule.authz.nothing", b"{}") == b"[]"
    assert document.values("data.bascule.authz.f(input.a)", b'{"a":"\xc3\xa9"}') == '["é"]'.encode()
    with pytest.raises(Unusable):
        document.values("data.", b"{}")


def test_what_the_engine_failed_on_does_not_open_the_door_for_what_comes_next() -> None:
    """Rules of an engine that failed once are undefined for ever, and so `not denied` is true."""
    rules = """
        t := input.arguments.n
        allow if not denied
        denied := t[_] if { x := input.user; walk(t, [_, v0]); v0 != 7 }
        """
    document = Document({"a.rego": HEAD + rules}, "{}")
    odd: list[object] = [[1, 2], [2], [3, 1], 5, {"a": {"b": 5}}, {"a": {"b": [2]}}]
    for n in [*odd, [2], [3, 1, 4], [2], {"a": 1, "b": 2}, [2], [1], [0], *odd]:
        given = {"user": "ann", "arguments": {"n": n}}
        asked = json.dumps(given).encode()
        try:
            expected = _decided(rules, given)
        except Unusable:
            with pytest.raises(Unusable):
                document.decide(asked)
        else:
            assert document.decide(asked) == expected
