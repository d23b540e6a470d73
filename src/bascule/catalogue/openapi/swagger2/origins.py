"""Where the parts of an upgraded document came from."""

from bascule.catalogue.openapi.pointers import Pointer


class Origins:
    """Maps places of the new document to places of the one that was read."""

    def __init__(self) -> None:
        self._noted: dict[Pointer, Pointer] = {}

    def note(self, place: Pointer, original: Pointer) -> None:
        """`place` and what lies below it came from `original`."""
        if place != original:
            self._noted[place] = original

    def of(self, place: Pointer) -> Pointer:
        """The original of `place`: that of the nearest place above it that was noted."""
        for length in range(len(place), 0, -1):
            original = self._noted.get(place[:length])
            if original is not None:
                return (*original, *place[length:])
        return place
