"""How much of everything a conversation may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """The bounds of turns, and what is asked of a model. Seconds, characters, bytes as named."""

    steps_per_turn: int = 10
    """How often the model is asked before a person has to write again."""
    calls_per_turn: int = 25
    calls_per_step: int = 8
    """Calls that run at the same time."""
    turns_per_person: int = 3
    """Under way; a turn that waits for somebody is not."""
    turns_per_tenant: int = 20
    approval_seconds: float = 900.0
    """How long a call waits for a yes, or for the answer to a question."""
    visit_seconds: float = 86_400.0
    """How long a call waits for an elevation or an account: others may have to act first."""
    call_seconds: float = 60.0
    """The deadline of one call."""
    text_characters: int = 16_000
    """The longest message of a person."""
    reason_characters: int = 1_000
    argument_bytes: int = 65_536
    """The arguments of one call, as JSON."""
    answer_tokens: int = 4_096
    """The longest answer of one step, as the model counts."""
    answer_characters: int = 100_000
    """The longest answer of one step, whatever the model counts."""
    temperature: float = 0.7
    tools_offered: int = 128
    """The most tools that a model is told of."""
    result_characters: int = 8_000
    """As much of one result as a model is told."""
    stored_result_bytes: int = 262_144
    """As much of one result as is kept, as JSON."""
    context_characters: int = 400_000
    """As much of a conversation as a model is told, before older things are left out."""
    save_seconds: float = 0.25
    """The most often that growing text is saved, and progress is told."""
    ring_events: int = 1_000
    """Events of one turn that are kept for readers who come back."""
    ring_bytes: int = 1_048_576
    lease_seconds: float = 15.0
    """How long a process that says nothing is taken to be at work on its turns."""
    follow_seconds: float = 0.5
    """How often a turn of another process is looked at for those who listen to it here."""
    handover_seconds: float = 10.0
    """How long an answer of the person waits for another process to have ended its run."""
    tokens_per_day: int = 0
    """What a person may have a provider count in 24 hours, both ways; 0: whatever there is."""
    rate_limit_seconds: float = 10.0
    """The longest pause that a provider may ask for and get, once in a turn."""
