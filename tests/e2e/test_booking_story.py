"""A service is booked from the shell, each step a command of its own, under a user's key."""

import re
from typing import Any

import pytest

from fakes.instances import Finished, Instance, bascule


class Shell:
    """The shell of somebody with a key."""

    def __init__(self, instance: Instance, key: str) -> None:
        self._options = ("--url", instance.url, "--key", key, "-o", "json")

    def run(self, *command: str) -> Finished:
        return bascule(*command, *self._options)

    def call(self, tool: str, **arguments: str) -> Any:
        pairs = [f"{name}={value}" for name, value in arguments.items()]
        return self.run("call", tool, *pairs).value


@pytest.fixture(scope="module")
def user(demo: Instance) -> Shell:
    made = Shell(demo, demo.admin_key).run("keys", "create", "--name", "rahul", "--role", "user")
    return Shell(demo, made.value["key"])


def test_a_service_is_booked_looked_up_and_cancelled(demo: Instance, user: Shell) -> None:
    customer = user.call("resolve_customer", mobile="9876543210")
    assert (customer["name"], customer["city"]) == ("Rahul Sharma", "Pune")

    (registration,) = customer["vehicles"]
    vehicle = user.call("resolve_vehicle", registration=registration)
    assert f"{vehicle['year']} {vehicle['make']} {vehicle['model']}" == "2023 Maruti Suzuki Swift"
    assert vehicle["service_due"] is True

    found = user.call("get_nearby_dealers", city=customer["city"], service_type="regular")
    assert len(found["dealers"]) == found["total"] == 4
    dealer = found["dealers"][0]
    assert (dealer["name"], dealer["distance_km"]) == ("Arena Hinjewadi", 3.0)

    slots = user.call("get_available_slots", dealer_id=dealer["dealer_id"])["slots"]
    booking = user.call(
        "create_service_booking",
        customer_mobile=customer["mobile"],
        vehicle_registration=registration,
        dealer_id=dealer["dealer_id"],
        slot_id=slots[0]["slot_id"],
        service_type="regular",
    )
    number = booking["booking_number"]
    assert re.fullmatch(r"BK\d+", number)
    assert user.call("get_booking_status", booking_number=number)["status"] == "confirmed"

    cancelled = user.call("cancel_service_booking", booking_number=number)
    assert (cancelled["status"], cancelled["booking_number"]) == ("cancelled", number)

    admin = Shell(demo, demo.admin_key)
    records = admin.run("audit", "tail", "--user", "rahul").value
    calls = [one for one in records if one["event_type"] == "tool_call"]
    assert [(one["tool_name"], one["status"]) for one in calls] == [
        ("resolve_customer", "success"),
        ("resolve_vehicle", "success"),
        ("get_nearby_dealers", "success"),
        ("get_available_slots", "success"),
        ("create_service_booking", "success"),
        ("get_booking_status", "success"),
        ("cancel_service_booking", "success"),
    ]
    assert "9876543210" not in str(records)

    verified = bascule("audit", "verify", "--data", demo.data, "-o", "json").value
    assert verified["ok"] is True
    assert verified["records"] >= len(records)
    assert {one["event_id"] for one in calls} <= _recorded(demo)


def _recorded(instance: Instance) -> set[str]:
    lines = "".join(path.read_text() for path in sorted((instance.data / "audit").glob("*.jsonl")))
    return set(re.findall(r'"event_id":"([^"]+)"', lines))


def test_a_user_may_not_do_what_administrators_do(user: Shell) -> None:
    refused = user.run("audit", "tail")

    assert refused.code == 6
    assert refused.error["code"] == "E1004"
    assert "audit:read" in refused.error["message"]
