"""The tables of the booking database."""

APPLICATION_ID = 0x424F4F4B
"""Marks the file as a booking database (`PRAGMA application_id`); the letters BOOK."""

SCHEMA_VERSION = 1
"""Raised whenever a table changes (`PRAGMA user_version`)."""

STATEMENTS = (
    """
    CREATE TABLE cities (
        city TEXT PRIMARY KEY COLLATE NOCASE,
        latitude REAL NOT NULL,
        longitude REAL NOT NULL
    )
    """,
    """
    CREATE TABLE customers (
        customer_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        mobile TEXT NOT NULL UNIQUE,
        city TEXT NOT NULL,
        email TEXT
    )
    """,
    """
    CREATE TABLE vehicles (
        registration TEXT PRIMARY KEY,
        customer_id TEXT NOT NULL REFERENCES customers,
        make TEXT NOT NULL,
        model TEXT NOT NULL,
        variant TEXT NOT NULL,
        year INTEGER NOT NULL,
        last_service_on TEXT,
        next_service_on TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE dealers (
        dealer_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        address TEXT NOT NULL,
        city TEXT NOT NULL COLLATE NOCASE REFERENCES cities,
        state TEXT NOT NULL,
        pincode TEXT NOT NULL,
        latitude REAL NOT NULL,
        longitude REAL NOT NULL,
        phone TEXT NOT NULL,
        rating REAL,
        service_types TEXT NOT NULL,  -- a JSON array
        opens_at TEXT NOT NULL,  -- HH:MM
        closes_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE service_bookings (
        booking_number TEXT PRIMARY KEY,
        status TEXT NOT NULL CHECK (status IN ('confirmed', 'cancelled')),
        customer_mobile TEXT NOT NULL,
        customer_name TEXT NOT NULL,
        vehicle_registration TEXT NOT NULL REFERENCES vehicles,
        vehicle_make TEXT NOT NULL,
        vehicle_model TEXT NOT NULL,
        dealer_id TEXT NOT NULL REFERENCES dealers,
        dealer_name TEXT NOT NULL,
        dealer_address TEXT NOT NULL,
        dealer_phone TEXT NOT NULL,
        slot_id TEXT NOT NULL,
        service_date TEXT NOT NULL,
        service_time TEXT NOT NULL,
        starts_at TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        service_type TEXT NOT NULL,
        notes TEXT,
        cancellation_reason TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    # The last word on double booking: the file itself holds one active booking per slot.
    """
    CREATE UNIQUE INDEX one_active_booking_per_slot
        ON service_bookings (slot_id) WHERE status = 'confirmed'
    """,
    "CREATE INDEX bookings_by_day ON service_bookings (dealer_id, service_date)",
    """
    CREATE TABLE idempotency_keys (
        idempotency_key TEXT PRIMARY KEY,
        request_digest TEXT NOT NULL,
        booking_number TEXT NOT NULL REFERENCES service_bookings
    )
    """,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
