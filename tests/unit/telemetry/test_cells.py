import pytest

from bascule.telemetry.cells import DURATION_BUCKETS_SECONDS, CallCells, Durations


@pytest.mark.parametrize("bound", DURATION_BUCKETS_SECONDS)
def test_a_bucket_holds_what_took_exactly_its_bound(bound: float) -> None:
    taken = Durations()
    taken.observe(bound)
    counts = dict(taken.buckets())
    assert counts[str(bound)] == 1
    assert counts["+Inf"] == 1
    assert (
        sum(counts.values())
        == len(DURATION_BUCKETS_SECONDS) - DURATION_BUCKETS_SECONDS.index(bound) + 1
    )


def test_what_took_longer_than_every_bound_is_counted_and_summed() -> None:
    taken = Durations()
    taken.observe(31.0)
    taken.observe(0.5)
    assert dict(taken.buckets())["30.0"] == 1
    assert dict(taken.buckets())["+Inf"] == 2
    assert taken.sum == 31.5


def test_series_of_methods_exist_before_the_first_call_and_those_of_tools_do_not() -> None:
    cells = CallCells(["ping"], ["success", "failure"])
    samples = {family.name: family.samples for family in cells.collect()}
    assert [one.value for one in samples["bascule_calls"]] == [0, 0]
    assert samples["bascule_tool_calls"] == []
