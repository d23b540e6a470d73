import json

import msgspec

from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.routing import Party, Routing


def note(method: str, **params: object) -> Incoming:
    raw = msgspec.Raw(json.dumps(params).encode())
    return Incoming(method=f"notifications/{method}", params=raw)


class Listener:
    """One party, and what it heard."""

    def __init__(self, token: str | None = None) -> None:
        self.heard: list[Incoming] = []
        self.party = Party(token, Hooks(self.heard.append))


def test_progress_goes_to_the_one_with_its_token() -> None:
    routing, one, other = Routing(is_private=False), Listener("1"), Listener("2")
    with routing.join(one.party), routing.join(other.party):
        routing.take_note(note("progress", progressToken="2", progress=1))
        routing.take_note(note("progress", progressToken="unknown", progress=1))
        routing.take_note(note("progress", progress=1))
        routing.take_note(Incoming(method="notifications/progress"))
    assert (len(one.heard), len(other.heard)) == (0, 1)


def test_nothing_comes_after_the_end() -> None:
    routing, one = Routing(is_private=True), Listener("1")
    with routing.join(one.party):
        pass
    routing.take_note(note("progress", progressToken="1", progress=1))
    routing.take_note(note("message", level="info"))
    assert one.heard == []


def test_log_message_of_uncertain_origin_is_told_to_no_other_caller() -> None:
    routing, one, other = Routing(is_private=False), Listener(), Listener()
    with routing.join(one.party):
        routing.take_note(note("message", level="info"))
        with routing.join(other.party):
            routing.take_note(note("message", level="info"))
    assert (len(one.heard), len(other.heard)) == (1, 0)


def test_log_message_on_a_callers_own_channel_is_told_once() -> None:
    routing, one, other = Routing(is_private=True), Listener(), Listener()
    deaf = Party(None, None)
    with routing.join(deaf), routing.join(one.party), routing.join(other.party):
        routing.take_note(note("message", level="info"))
    assert (len(one.heard), len(other.heard)) == (1, 0)


def test_changes_go_to_subscribers_and_not_to_exchanges() -> None:
    routing, one = Routing(is_private=True), Listener()
    heard: list[Incoming] = []
    with routing.join(one.party), routing.subscribe(heard.append):
        routing.take_note(note("tools/list_changed"))
    routing.take_note(note("tools/list_changed"))
    assert (len(one.heard), len(heard)) == (0, 1)


def test_changes_with_a_subscription_go_to_that_one() -> None:
    routing = Routing(is_private=False)
    first: list[Incoming] = []
    second: list[Incoming] = []

    def changed(subscription: object) -> Incoming:
        meta = {"io.modelcontextprotocol/subscriptionId": subscription}
        return note("tools/list_changed", _meta=meta)

    with routing.subscribe(first.append, "1"), routing.subscribe(second.append, "2"):
        for subscription in ("2", "3", 2, None, [], {}):
            routing.take_note(changed(subscription))
        routing.take_note(note("tools/list_changed"))
    routing.take_note(changed("2"))
    assert (len(first), len(second)) == (0, 1)


def test_request_is_put_only_where_it_is_clear_whom_it_is_about() -> None:
    asked: list[Incoming] = []

    class Taker:
        take = staticmethod(asked.append)
        is_open = asked_just_now = False

    routing, deaf = Routing(is_private=True), Party(None, None)
    party = Party(None, None, Taker())  # type: ignore[arg-type]
    request = Incoming(id=1, method="elicitation/create")
    assert not routing.take_request(request)
    with routing.join(party):
        assert routing.take_request(request)
        with routing.join(deaf):
            assert not routing.take_request(request)
    with routing.join(deaf):
        assert not routing.take_request(request)
    assert asked == [request]


def test_who_waits_for_an_answer_is_not_who_asks_anew() -> None:
    class Taker:
        def __init__(self, *, is_open: bool, asked_just_now: bool = False) -> None:
            self.is_open = is_open
            self.asked_just_now = asked_just_now
            self.asked: list[Incoming] = []

        def take(self, request: Incoming) -> None:
            self.asked.append(request)

    def party(taker: Taker) -> Party:
        return Party(None, None, taker)  # type: ignore[arg-type]

    request = Incoming(id=1, method="elicitation/create")
    routing = Routing(is_private=True)
    parked, quiet = Taker(is_open=True), Taker(is_open=False)
    asking = Taker(is_open=True, asked_just_now=True)
    with routing.join(party(parked)), routing.join(party(quiet)):
        assert routing.take_request(request)
        with routing.join(party(Taker(is_open=False))):
            assert not routing.take_request(request), "either of two could be the one"
    with routing.join(party(parked)), routing.join(party(asking)):
        assert routing.take_request(request)
    with routing.join(party(parked)), routing.join(party(parked)):
        assert not routing.take_request(request)
    assert (len(parked.asked), len(quiet.asked), len(asking.asked)) == (0, 1, 1)
