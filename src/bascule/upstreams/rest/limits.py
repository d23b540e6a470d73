"""How much of an answer a caller is given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """Bounds on one answer; what is beyond them is cut or left out, and said to be.

    `text_characters` bounds what a model reads, `embedded_bytes` images, sound and other files,
    `stream_bytes` what is read of an answer that comes piece by piece.
    """

    text_characters: int = 100_000
    embedded_bytes: int = 1_048_576
    stream_bytes: int = 16_777_216


USUAL = AnswerLimits()
