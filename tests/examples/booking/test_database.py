import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from booking.app import create_app
from booking.clock import Clock
from booking.database import Database, UnusableDatabase, insert
from booking.service import Service, open_service

BODY = {
    "customer_mobile": "9876543210",
    "vehicle_registration": "MH12AB1234",
    "dealer_id": "PUN01",
    "slot_id": "SL-PUN01-20261125-0900",
    "service_type": "regular",
}


def test_bookings_and_keys_survive_a_restart(tmp_path: Path, clock: Clock) -> None:
    headers = {"Idempotency-Key": "one"}
    with TestClient(create_app(open_service(tmp_path / "booking.db", clock))) as client:
        first = client.post("/v1/bookings", json=BODY, headers=headers).json()
    with TestClient(create_app(open_service(tmp_path / "booking.db", clock))) as client:
        assert client.get(f"/v1/bookings/{first['booking_number']}").json() == first
        assert client.post("/v1/bookings", json=BODY, headers=headers).json() == first
        assert client.get("/health").json()["bookings"] == 1


def test_the_file_is_in_write_ahead_mode(service: Service) -> None:
    with service.database.connect() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_the_file_itself_refuses_a_second_active_booking_of_a_slot(
    service: Service, client: TestClient
) -> None:
    client.post("/v1/bookings", json=BODY)
    with service.database.write() as connection:
        row = dict(connection.execute("SELECT * FROM service_bookings").fetchone())
        second = row | {"booking_number": "BK1"}
        assert not insert(connection, "service_bookings", second)
        assert insert(connection, "service_bookings", second | {"status": "cancelled"})


def test_an_exception_inside_a_write_leaves_nothing_behind(service: Service) -> None:
    def delete_and_fail() -> None:
        with service.database.write() as connection:
            connection.execute("DELETE FROM vehicles")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        delete_and_fail()
    with service.database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM vehicles").fetchone()[0] == 8


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE secrets (text)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UnusableDatabase, match="another program"):
        Database(path).prepare()
    assert path.read_bytes() == before


def test_a_database_of_another_version_is_refused(service: Service) -> None:
    with service.database.connect() as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(UnusableDatabase, match="version 2, not 1"):
        service.database.prepare()


def test_a_deleted_file_is_a_503_and_is_not_replaced(service: Service, client: TestClient) -> None:
    path = service.database.path
    for file in path.parent.glob("booking.db*"):
        file.unlink()
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["error"]["code"] == "database_unavailable"
    assert not path.exists()


def test_a_path_with_characters_special_in_a_uri_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro#b %41.db"
    Database(path).prepare()
    assert path.exists()
