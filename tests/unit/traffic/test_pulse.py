import pytest

from bascule.traffic.pulse import Finding, Health, Pulse


def pulse_of(beats: str) -> Pulse:
    """`+` a probe that worked, `s` a slow one, `-` one that failed."""
    pulse = Pulse()
    for one in beats:
        pulse.note(3.0 if one == "s" else 0.01, "refused" if one == "-" else "")
    return pulse


@pytest.mark.parametrize(
    ("beats", "health", "reason"),
    [
        ("+", Health.HEALTHY, ""),
        ("-", Health.DOWN, "refused"),
        ("+-", Health.DEGRADED, "refused"),
        ("+--", Health.DOWN, "refused"),
        ("+--+", Health.HEALTHY, ""),
        ("+-+-+", Health.DEGRADED, "it comes and goes"),
        ("+-+-++++++", Health.HEALTHY, ""),
        ("s", Health.DEGRADED, "it is slow: the last probe took 3.0 s"),
        ("s+", Health.HEALTHY, ""),
    ],
)
def test_the_last_probes_say_how_it_stands(beats: str, health: Health, reason: str) -> None:
    assert pulse_of(beats).finding == Finding(health, reason)


def test_before_the_first_probe_nothing_is_known() -> None:
    assert (Pulse().finding, Pulse().last_seconds) == (None, None)
    assert pulse_of("+s").last_seconds == 3.0
