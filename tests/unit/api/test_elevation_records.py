"""What is on record of elevation: who did what for whom, and nothing of what they may not know."""

from dataclasses import replace

import pytest

from bascule.api.caller import Caller
from bascule.api.elevation_records import ElevationRecords
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import Conflict, Forbidden, RecordingFailed
from bascule.gateway.principal import Principal
from bascule.gateway.record import EventType, Status
from bascule.policy.elevation import Step
from fakes.elevations import Elevating
from unit.api.site import Site

BOSS = Caller(Principal("default", "boss", frozenset(), key_id="k1", agent="console"), "corr")
GRANTED = replace(
    Elevating().grant(
        Principal("default", "ann", frozenset(), user_id="u"), Scope(ScopeKind.TOOL, "refund")
    ),
    ticket="INC-7",
    arguments={"card": "41****11"},
    reason="Paid twice.",
)


async def test_a_step_names_who_did_it_for_whom_and_what_it_is_about(site: Site) -> None:
    await ElevationRecords(site.control).done(BOSS, Step.APPROVED, GRANTED)
    record = site.recorder.last
    assert (record.event_type, record.action, record.status) == (
        EventType.ELEVATION, "elevation.approved", Status.SUCCESS,
    )  # fmt: skip
    assert (record.user, record.agent, record.key_id) == ("boss", "console", "k1")
    assert (record.tenant, record.tool_name, record.correlation_id) == ("default", "refund", "corr")
    assert GRANTED.expires_at is not None
    assert record.metadata == {
        "elevation": str(GRANTED.id),
        "requester": "ann",
        "asked_by": "ann",
        "scope": "tool:refund",
        "asked_scope": "tool:refund",
        "minutes": 60,
        "ticket": "INC-7",
        "approver": "boss",
        "reference": "ELV-1",
        "expires_at": GRANTED.expires_at.isoformat(),
    }


async def test_what_time_ended_is_nobodys_doing(site: Site) -> None:
    away = replace(BOSS, home="elsewhere")
    await ElevationRecords(site.control).done(away, Step.EXPIRED, GRANTED)
    record = site.recorder.last
    assert (record.user, record.agent, record.key_id) == ("", "", "")
    assert "home_tenant" not in record.metadata
    await ElevationRecords(site.control).done(away, Step.REVOKED, GRANTED)
    assert site.recorder.last.metadata["home_tenant"] == "elsewhere"


@pytest.mark.parametrize(
    ("failure", "status", "metadata"),
    [
        (
            Forbidden("No.", private="own request"),
            Status.DENIED,
            {"failure": "Forbidden", "reason": "own request"},
        ),
        (Conflict("Too late."), Status.FAILURE, {"failure": "Conflict", "reason": "Too late."}),
        (KeyError("hunter2"), Status.FAILURE, {"failure": "KeyError"}),
    ],
)
async def test_what_was_tried_in_vain_is_on_record_too(
    site: Site, failure: Exception, status: Status, metadata: dict[str, str]
) -> None:
    ElevationRecords(site.control).failed(BOSS, Step.APPROVED, "x" * 500, failure)
    record = site.recorder.last
    assert (record.action, record.status, record.user) == ("elevation.approved", status, "boss")
    assert record.metadata == {"target": "x" * 200, **metadata}


async def test_a_journal_that_fails_stops_what_was_to_be_done(site: Site) -> None:
    site.recorder.fails = True
    records = ElevationRecords(site.control)
    records.failed(BOSS, Step.APPROVED, "x", Conflict("Too late."))
    with pytest.raises(RecordingFailed):
        await records.done(BOSS, Step.APPROVED, GRANTED)
