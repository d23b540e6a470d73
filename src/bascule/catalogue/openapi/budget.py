"""A bound on the work one document may cause, however its parts refer to each other."""

from typing import Final

from bascule.catalogue.openapi.findings import DocumentRejected

_MOST_STEPS: Final = 4_000_000


class Budget:
    """Counts steps: a schema looked at, or 64 bytes of schema put into a tool.

    The largest public descriptions stay below three million; four take up to twenty seconds.
    """

    def __init__(self, steps: int = _MOST_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take `steps` off.

        Raises:
            DocumentRejected: nothing is left.
        """
        self._left -= steps
        if self._left < 0:
            raise DocumentRejected(
                "The document takes too much work to convert: its schemas refer to each other "
                "too densely, or it has too many operations. Split it by tag or by path."
            )
