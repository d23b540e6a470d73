"""A vehicle-service booking API: customers, vehicles, dealers, slots and bookings."""
