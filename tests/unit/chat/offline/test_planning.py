"""Whole conversations, on the real booking service and on two others that nothing here knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bascule.chat.parts import CallState
from bascule.chat.results import MAY_HAVE_ACTED
from fakes.planned import EVENTS, STATIONS, Booking, Museum, Talk, Tasks, Weather

Calls = list[tuple[str, dict[str, Any]]]


async def calls_of(talk: Talk, *texts: str) -> Calls:
    for text in texts:
        await talk.say(text)
    return [(name, arguments) for name, arguments, _ in talk.calls]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Booking(tmp_path).talk()


async def test_a_service_is_booked_step_by_step(talk: Talk) -> None:
    told = await talk.say("I need to book a service. My mobile is 9876543210")
    assert "not a language model" in told
    assert "Rahul Sharma" in told
    told = await talk.say("My car is MH12AB1234")
    assert "not a language model" not in told
    assert "Swift" in told
    told = await talk.say("Find dealers in Pune for regular service")
    assert "(1) Arena Hinjewadi, (2) Nexa Aundh" in told
    assert told.endswith("Which one do you want? Say its number or its name.")
    told = await talk.say("Arena Hinjewadi")
    assert "9 found on 2026-11-25: (1) 09:00, (2) 10:00" in told
    told = await talk.say("friday")
    assert "9 found on 2026-11-27: (1) 09:00, (2) 10:00" in told
    told = await talk.say("at 10")
    assert "**booking number**: BK" in told
    assert [(name, arguments) for name, arguments, _ in talk.calls] == [
        ("resolve_customer", {"mobile": "9876543210"}),
        ("resolve_vehicle", {"registration": "MH12AB1234"}),
        ("get_nearby_dealers", {"city": "Pune", "service_type": "regular"}),
        ("get_available_slots", {"dealer_id": "PUN01", "service_type": "regular"}),
        (
            "get_available_slots",
            {"dealer_id": "PUN01", "date": "2026-11-27", "service_type": "regular"},
        ),
        (
            "create_service_booking",
            {
                "customer_mobile": "9876543210",
                "vehicle_registration": "MH12AB1234",
                "dealer_id": "PUN01",
                "slot_id": "SL-PUN01-20261127-1000",
                "service_type": "regular",
            },
        ),
    ]


async def test_it_is_looked_up_and_cancelled_without_its_number_being_said(talk: Talk) -> None:
    await calls_of(
        talk,
        "book a regular service, mobile 9876543210, in Pune at Arena Hinjewadi tomorrow at 9",
    )
    name, _, (made, _, _) = talk.calls[-1]
    assert made is not None
    assert name == "create_service_booking"
    number = {"booking_number": made["booking_number"]}
    calls = await calls_of(talk, "what's its status?", "cancel it")
    assert calls[-2:] == [("get_booking_status", number), ("cancel_service_booking", number)]
    assert "cancelled" in talk.answers[-1]


async def test_a_booking_is_checked_and_cancelled_by_its_number(talk: Talk) -> None:
    told = await talk.say("check booking BK12345")
    assert "There is no booking BK12345" in told
    told = await talk.say("cancel my booking")
    assert told.startswith("Which booking number?")
    await talk.say("BK54321")
    assert talk.calls[-1][1] == {"booking_number": "BK54321"}


async def test_all_at_once_with_a_note(talk: Talk) -> None:
    calls = await calls_of(
        talk,
        "I want to book a regular service at Arena Indiranagar in Bengaluru on 26 November at 3pm "
        "for KA01ZZ0004, mobile 9000000004. notes: please check the brakes",
    )
    assert calls[-1] == (
        "create_service_booking",
        {
            "customer_mobile": "9000000004",
            "vehicle_registration": "KA01ZZ0004",
            "dealer_id": "BLR01",
            "slot_id": "SL-BLR01-20261126-1500",
            "service_type": "regular",
            "notes": "please check the brakes",
        },
    )


async def test_other_words_another_order_and_another_customer(talk: Talk) -> None:
    calls = await calls_of(
        talk,
        "hi",
        "Please reserve a repair for MH14 ZZ 0012 at Arena Kothrud, day after tomorrow in the "
        "morning. I'm on 90000 00002",
        "Pune",
        "the second one",
    )
    assert calls[-1] == (
        "create_service_booking",
        {
            "customer_mobile": "9000000002",
            "vehicle_registration": "MH14ZZ0012",
            "dealer_id": "PUN03",
            "slot_id": "SL-PUN03-20261126-1000",
            "service_type": "repair",
        },
    )


async def test_a_closed_day_is_told_and_another_one_asked_for(talk: Talk) -> None:
    await calls_of(talk, "Book a service", "9000000002", "the first", "Pune", "inspection", "Nexa")
    told = await talk.say("sunday")
    assert "Which date?" in told
    assert "closed on Sundays" in told
    calls = await calls_of(talk, "next monday", "in the afternoon", "15:00")
    assert calls[-1][1]["slot_id"] == "SL-PUN02-20261130-1500"


async def test_a_wrong_number_is_asked_for_again_and_not_used(talk: Talk) -> None:
    told = await talk.say("Book a service for mobile 9123456789")
    assert "No customer has this mobile number" in told
    assert told.endswith("Which customer mobile? Mobile number of a registered customer.")
    calls = await calls_of(talk, "my mobile is 9000000003")
    assert [one for _, one in calls] == [{"mobile": "9123456789"}, {"mobile": "9000000003"}]


async def test_a_goal_is_dropped_or_replaced(talk: Talk) -> None:
    await talk.say("I need to book a service")
    assert "dropped" in await talk.say("never mind")
    assert "nothing under way" in await talk.say("cancel that")
    await talk.say("I need to book a service")
    await talk.say("cancel the booking BK777")
    assert talk.calls[-1][:2] == ("get_booking_status", {"booking_number": "BK777"})


async def test_small_talk_needs_no_tool(talk: Talk) -> None:
    assert "- Book a service slot" in await talk.say("what can you do?")
    assert await talk.say("thanks") == "You are welcome."
    assert "no tool" in await talk.say("order a pizza")
    assert talk.calls == []


async def test_a_list_of_tasks_is_kept() -> None:
    tasks = Tasks()
    calls = await calls_of(
        tasks.talk(),
        "show my open tasks",
        "delete the second one",
        "Add a task: buy milk by Friday",
        "complete it",
        "add a new task",
        "Phone mum",
        "remove 'Water the plants'",
        "show my open tasks",
    )
    assert calls == [
        ("listTasks", {"state": "open"}),
        ("deleteTask", {"taskId": 12}),
        ("createTask", {"title": "buy milk", "dueOn": "2026-11-27"}),
        ("completeTask", {"taskId": 14}),
        ("createTask", {"title": "Phone mum"}),
        ("listTasks", {}),
        ("deleteTask", {"taskId": 11}),
        ("listTasks", {"state": "open"}),
    ]


async def test_the_weather_is_told_and_storms_subscribed_to() -> None:
    calls = await calls_of(
        Weather().talk(),
        "what's the weather in Pune for 3 days?",
        "and in London?",
        "subscribe me to storm alerts, my email is a@b.org",
        "in Konkan",
        "Old Mill",
    )
    assert calls == [
        ("get_forecast", {"city": "Pune", "days": 3}),
        ("get_forecast", {"city": "London", "days": 3}),
        ("list_stations", {"region": "London"}),
        ("list_stations", {"region": "Konkan"}),
        ("subscribe_to_alerts", {"email": "a@b.org", "stationId": STATIONS[1]["id"]}),
    ]


FOUNDING = (
    "I need to book a service. My mobile is 9876543210",
    "My car is MH12AB1234",
    "Find dealers in Pune for regular service",
)
AT_FIRST = (*FOUNDING, "the first one")


@pytest.mark.parametrize(
    ("said", "slot"),
    [
        ((*FOUNDING, "Arena Kothrud", "the 10:00 one"), "PUN03-20261125-1000"),
        ((*FOUNDING, "the second", "the last"), "PUN02-20261125-1800"),
        ((*FOUNDING, "two", "number three"), "PUN02-20261125-1200"),
        ((*FOUNDING, "the best rated", "the latest slot"), "PUN01-20261125-1700"),
        ((*FOUNDING, "nearest", "earliest"), "PUN01-20261125-0900"),
        ((*AT_FIRST, "what about 5/12?", "9 am"), "PUN01-20261205-0900"),
        ((*AT_FIRST, "12 Dec", "in the afternoon", "the first"), "PUN01-20261212-1200"),
        ((*AT_FIRST, "12 Dec", "in the afternoon", "the last"), "PUN01-20261212-1600"),
        ((*AT_FIRST, "yesterday", "tomorrow", "at 9"), "PUN01-20261125-0900"),
        ((*AT_FIRST, "no, I meant Kothrud", "10"), "PUN03-20261125-1000"),
        ((*AT_FIRST, "make it Friday instead", "the 10:00 one"), "PUN01-20261127-1000"),
        ((*AT_FIRST, "12:30?", "noon"), "PUN01-20261125-1200"),
        ((*AT_FIRST, "thanks", "what can you do?", "11 o'clock"), "PUN01-20261125-1100"),
        ((*FOUNDING, "Kothrud day after tomorrow 10am"), "PUN03-20261126-1000"),
        (("Need a repair for my Brezza in Mumbai tomorrow. 9000000003", "first", "9:00"),
         "MUM01-20261125-0900"),
        (("Book a repair, +91 90000 00003 in Mumbai", "first", "the other dealer", "first"),
         "MUM02-20261125-1000"),
        (("book a service 09000000005", "first", "Delhi", "regular", "first"),
         "DEL01-20261125-0900"),
        (("find dealers in Mumbai", "what slots does Arena Kurla have tomorrow?",
          "book the 10:00 one", "9000000003", "regular"), "MUM01-20261125-1000"),
        (("show slots at PUN01 on friday", "book the 11:00 for 9876543210", "regular"),
         "PUN01-20261127-1100"),
    ],
)  # fmt: skip
async def test_it_is_said_in_many_ways(said: tuple[str, ...], slot: str, talk: Talk) -> None:
    *earlier, (name, arguments) = await calls_of(talk, *said)
    assert (name, arguments["slot_id"]) == ("create_service_booking", f"SL-{slot}")
    assert name not in [one for one, _ in earlier]


@pytest.mark.parametrize(
    ("said", "registration"),
    [
        (("MH12ZZ0002", "no, the other car"), "MH14ZZ0012"),
        (("the second", "no, the other one"), "MH12ZZ0002"),
        (("the second", "the other car", "no, the other car"), "MH14ZZ0012"),
    ],
)
async def test_of_two_the_other_one_is_taken(
    said: tuple[str, ...], registration: str, talk: Talk
) -> None:
    flow = ("Book a service, 9000000002", *said, "Pune", "regular", "first", "first")
    calls = await calls_of(talk, *flow)
    assert calls[-1][1]["vehicle_registration"] == registration
    assert [one for _, one in calls if "other" in str(one)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ja bitte", "English only"),
        ("Pune mein", "English only"),
        ("?!", "I can do this for you"),
        ("tell me a joke", "no tool"),
        ("book " * 4000, "Which customer mobile?"),
        ("check my booking bk 123", "There is no booking BK123."),
        ("book a service <script>alert(1)</script>", "Which customer mobile?"),
    ],
)
async def test_odd_messages_are_answered(text: str, told: str, talk: Talk) -> None:
    assert told in await talk.say(text)


async def test_a_question_that_was_not_answered_is_put_again_and_says_so(talk: Talk) -> None:
    await calls_of(talk, *AT_FIRST)
    told = await talk.say("the cheapest")
    assert told.startswith("I could not read an answer to my question in that.")
    assert "1. **2026-11-25 09:00**" in told
    assert (await talk.say("thanks")).startswith("You are welcome.")


def broken(state: CallState, text: str, decided: str = "") -> tuple[Tasks, Talk]:
    """Tasks whose first write ends so."""
    tasks = Tasks()
    talk = tasks.talk()
    talk.ends = {"createTask": [(state, text, decided)]}
    return tasks, talk


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (CallState.UNKNOWN, "It is not known what came of this call. Do not make it again."),
        (CallState.CANCELLED, MAY_HAVE_ACTED),
    ],
)
async def test_what_may_have_been_done_is_not_done_again_by_itself(
    state: CallState, text: str
) -> None:
    _, talk = broken(state, text)
    told = await talk.say("Add a task: buy milk")
    assert "It is not known whether this was done: Add a task." in told
    assert "To find out, ask me for: List tasks." in told
    assert "did not work" not in told
    assert text not in told
    await talk.say("ok")
    await talk.say("list tasks")
    assert talk.names == ["createTask", "listTasks"]
    await talk.say("try again")
    assert talk.names == ["createTask", "listTasks", "createTask"]


async def test_what_was_not_agreed_to_is_not_put_again_until_something_changes() -> None:
    _, talk = broken(CallState.DENIED, "The person refused this call.", "deny")
    told = await talk.say("Add a task: buy milk")
    assert "You did not agree, so it was not done: Add a task." in told
    await talk.say("hm")
    assert talk.names == ["createTask"]
    await talk.say("call it 'buy bread'")
    assert talk.calls[-1][1] == {"title": "buy bread"}


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (("when is the museum open?", "and tomorrow?"),
         ("getMuseumHours", {"startDate": "2026-11-25"})),
        (("list special events", "delete the pirate one"),
         ("deleteSpecialEvent", {"eventId": EVENTS[0]["eventId"]})),
        (("what events are on?", "tell me more about the mermaid one"),
         ("getSpecialEvent", {"eventId": EVENTS[1]["eventId"]})),
        (("buy museum tickets for 28 November", "general"),
         ("buyMuseumTickets", {"ticketDate": "2026-11-28", "ticketType": "general"})),
        (("change the price of the pirate workshop to 30",),
         ("updateSpecialEvent", {"eventId": EVENTS[0]["eventId"], "price": 30})),
    ],
)  # fmt: skip
async def test_a_museum_is_visited(said: tuple[str, ...], last: tuple[str, dict[str, Any]]) -> None:
    assert (await calls_of(Museum().talk(), *said))[-1] == last


@pytest.mark.parametrize("make", [Tasks, Weather])
async def test_a_message_is_answered_where_nothing_fits(make: Callable[[], Any]) -> None:
    talk = make().talk()
    assert "no tool" in await talk.say("who won the match?")
    assert talk.calls == []


async def test_what_is_named_is_never_taken_for_what_was_shown_last() -> None:
    talk = Tasks().talk()
    await calls_of(talk, "show task 12")
    assert (await calls_of(talk, "delete the plumber task"))[1:] == [
        ("listTasks", {}),
        ("deleteTask", {"taskId": 13}),
    ]
    other = Tasks().talk()
    assert (await calls_of(other, "show task 12", "delete it"))[-1] == (
        "deleteTask",
        {"taskId": 12},
    )
