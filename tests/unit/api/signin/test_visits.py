"""What is written down of who comes in."""

from starlette.requests import Request

from bascule.api.signin.visits import Event, Visit, visit_of, write_down
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import EventType, Status
from unit.api.site import Site


def test_a_visit_is_the_address_and_browser_of_a_request() -> None:
    headers = [(b"user-agent", b"Elk/1")]
    scope = {"type": "http", "headers": headers, "bascule.correlation_id": "c-1"}
    assert visit_of(Request({**scope, "client": ("10.0.0.1", 5)})) == Visit(
        "c-1", "10.0.0.1", "Elk/1"
    )
    assert visit_of(Request({"type": "http", "headers": []})) == Visit("")


async def test_an_event_is_an_auth_event_with_all_that_is_known(site: Site) -> None:
    event = Event("sign_in", "default", "ann", Status.DENIED, ErrorCode.INVALID_TOKEN, "why")
    await write_down(site.control, Visit("c-1", "10.0.0.1"), event, by="password")
    record = site.recorder.last
    assert (record.event_type, record.action) == (EventType.AUTH_EVENT, "sign_in")
    assert (record.status, record.error_code, record.error_message) == ("denied", "E1002", "why")
    assert (record.tenant, record.user, record.peer) == ("default", "ann", "10.0.0.1")
    assert (record.correlation_id, record.metadata) == ("c-1", {"by": "password"})
    assert record.snapshot_version == site.control.snapshot().version


async def test_nobody_has_to_wait_for_an_event_that_cannot_be_written_down(site: Site) -> None:
    site.recorder.fails = True
    write_down(site.control, Visit("c-1"), Event("sign_in", "default"))
    assert site.recorder.last.error_code == ""
