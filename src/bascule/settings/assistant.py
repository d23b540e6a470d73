"""The assistant: which model it asks, and how much a conversation may take."""

from typing import Annotated, Literal

from pydantic import Field

from bascule.settings.secret import Password
from bascule.settings.section import Section, setting
from bascule.settings.values import HeaderKey, Name, Seconds, ServiceUrl


class Llm(Section):
    """The language model that the assistant asks."""

    provider: Literal["offline", "openai", "azure", "bedrock", "anthropic", "compatible"] = setting(
        "offline",
        "Who runs the model. `offline` is no language model: a planner in this process that fits "
        "the words of a message to the tools, and asks nobody. `compatible` is any server that "
        "speaks as OpenAI does, such as vLLM or Ollama. All but `offline` need an extra: "
        "`bascule[openai]` (also for `azure` and `compatible`), `bascule[anthropic]` or "
        "`bascule[bedrock]`.",
    )
    model: Annotated[str, Field(max_length=200)] = setting(
        "",
        "The model, as its provider names it. For `azure` it may be left empty: there "
        "`llm.deployment` says which.",
        accepts="a name of up to 200 characters, or nothing",
    )
    base_url: ServiceUrl = setting(
        "",
        "Address of the provider, where it is not the usual one: the resource of `azure`, the "
        "server of `compatible`.",
        accepts="an http or https URL, or nothing",
    )
    api_key: HeaderKey = setting(
        Password(""),
        "The key that the provider expects. Not for `bedrock`, which takes the credentials of AWS "
        "from where its tools look for them; a `compatible` server may need none.",
        accepts="a key, as a reference, or nothing",
    )
    api_version: Annotated[str, Field(max_length=50)] = setting(
        "",
        "Version of the interface of `azure`; empty for the one that the connector was tested "
        "with.",
        accepts="a version such as 2025-04-01-preview, or nothing",
    )
    deployment: Annotated[str, Field(max_length=200)] = setting(
        "", "The deployment of `azure`.", accepts="a name of up to 200 characters, or nothing"
    )
    region: Annotated[str, Field(max_length=50)] = setting(
        "",
        "The region of `bedrock`.",
        accepts="a region such as eu-central-1, or nothing",
    )
    max_tokens: Annotated[int, Field(ge=64, le=1_000_000)] = setting(
        4096, "Longest answer of one step.", unit="tokens"
    )
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = setting(
        0.7, "How freely the model chooses its words. Models that have no such thing ignore it."
    )
    timeout_seconds: Seconds = setting(
        60.0, "Time the provider may take until it says anything, or anything more.", unit="seconds"
    )
    instructions: Annotated[str, Field(max_length=20_000)] = setting(
        "",
        "What the model is told besides, before every conversation: what it is for, how it speaks.",
        accepts="a text of up to 20000 characters, or nothing",
    )


class Chat(Section):
    """Conversations with the assistant."""

    name: Name = setting(
        "Assistant", "What the assistant is called.", accepts="1 to 100 printable characters"
    )
    theme_file: str = setting(
        "",
        "A YAML or JSON file with the look of the chat: `name`, `colours`, `greeting` and "
        "`quick_actions` (each with `id`, `label` and `prompt`). Empty for the usual one.",
        accepts="a path, or nothing",
    )
    max_text_characters: Annotated[int, Field(ge=100, le=1_000_000)] = setting(
        16_000, "Longest message of a person.", unit="characters"
    )
    steps_per_turn: Annotated[int, Field(ge=1, le=100)] = setting(
        10, "How often the model is asked before the person has to write again.", unit="steps"
    )
    calls_per_turn: Annotated[int, Field(ge=1, le=1000)] = setting(
        25, "Tool calls that one answer may make.", unit="calls"
    )
    calls_per_step: Annotated[int, Field(ge=1, le=100)] = setting(
        8, "Tool calls of one answer that run at the same time.", unit="calls"
    )
    turns_per_person: Annotated[int, Field(ge=1, le=1000)] = setting(
        3, "Answers under way for one person, in all processes that share a Redis.", unit="answers"
    )
    turns_per_tenant: Annotated[int, Field(ge=1, le=100_000)] = setting(
        20, "Answers under way for one tenant, in all processes that share a Redis.", unit="answers"
    )
    tokens_per_day: Annotated[int, Field(ge=0, le=10_000_000_000)] = setting(
        0,
        "What one person may have the provider count in 24 hours, asked and answered; 0 for no "
        "bound. The answer that reaches it ends with a sentence.",
        unit="tokens",
    )
    approval_seconds: Seconds = setting(
        900.0, "Time a person has to agree to a call, or to answer a question.", unit="seconds"
    )
    result_characters: Annotated[int, Field(ge=500, le=1_000_000)] = setting(
        8_000, "How much of one result the model is told.", unit="characters"
    )
    context_characters: Annotated[int, Field(ge=10_000, le=10_000_000)] = setting(
        400_000,
        "How much of a conversation the model is told, before its oldest parts are left out.",
        unit="characters",
    )
    deleted_days: Annotated[int, Field(ge=1, le=3650)] = setting(
        30, "Time a deleted conversation can be restored.", unit="days"
    )
