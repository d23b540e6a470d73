"""The model and the look that the settings name."""

import json
from pathlib import Path
from typing import Any

import pytest

from bascule.app import models
from bascule.app.chatting import limits_of
from bascule.app.demo import demo_folder
from bascule.app.models import ModelUnusable, open_model
from bascule.app.theme import ThemeUnusable, read_look
from bascule.settings.assistant import Chat, Llm
from bascule.settings.model import Settings
from bascule.settings.secret import Password


@pytest.mark.parametrize(
    ("provider", "shown"),
    [
        ("offline", ("offline", False)),
        ("openai", ("openai", True)),
        ("azure", ("azure", True)),
        ("compatible", ("compatible", True)),
        ("anthropic", ("anthropic", True)),
        ("bedrock", ("bedrock", True)),
    ],
)
async def test_each_provider_has_its_model(provider: str, shown: tuple[str, bool]) -> None:
    llm = Llm.model_validate(
        {
            "provider": provider,
            "model": "m",
            "deployment": "d",
            "base_url": "https://models.example",
            "api_key": Password("k"),
            "region": "eu-central-1",
        }
    )
    async with open_model(llm) as model:
        card = model.card
    assert (str(card.provider), card.is_language_model) == shown
    assert card.id == {"offline": card.id, "azure": "d"}.get(provider, "m")


async def test_a_library_that_is_not_there_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name="openai")

    monkeypatch.setattr(models, "import_module", missing)
    with pytest.raises(ModelUnusable, match=r"pip install 'bascule\[openai\]'"):
        async with open_model(Llm(provider="azure")):
            pass


async def test_settings_that_a_library_does_not_like_are_not_repeated() -> None:
    llm = Llm(provider="openai", model="m", api_key=Password("hush"), base_url="http://[::1]:1")
    async with open_model(llm):
        pass
    odd = llm.model_copy(update={"base_url": "http://\x00hush"})
    with pytest.raises(ModelUnusable) as failure:
        async with open_model(odd):
            pass
    assert "hush" not in failure.value.public


def test_the_bounds_are_those_of_the_settings() -> None:
    chat = Chat(calls_per_turn=3, max_text_characters=500)
    limits = limits_of(Settings(chat=chat, llm=Llm(max_tokens=100, temperature=0.1)))
    assert (limits.calls_per_turn, limits.text_characters) == (3, 500)
    assert (limits.answer_tokens, limits.temperature) == (100, 0.1)


def test_the_look_of_the_demo_can_be_read() -> None:
    look = read_look(Chat(theme_file=str(demo_folder() / "theme.json")))
    assert look.theme == "service-booking"
    assert look.colours["primary"] == "#003D79"
    assert look.greeting
    assert [one.id for one in look.quick_actions] == [
        "book-service", "check-booking", "find-dealer",
    ]  # fmt: skip


def test_without_a_file_the_look_is_the_usual_one() -> None:
    assert read_look(Chat(name="Bo")).name == "Bo"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "must be a mapping"),
        ({"colours": {"primary": "url(https://evil.example)"}}, "must be written as"),
        ({"colours": {"a;b": "#fff"}}, "must be written as"),
        ({"greeting": 7}, "greeting must be a text"),
        ({"quick_actions": {}}, "must be a list"),
        ({"quick_actions": [{"id": "a"}]}, "label must be a text"),
        ({"quick_actions": [{}] * 51}, "more than 50"),
    ],
    ids=["list", "address", "name", "greeting", "actions", "action", "many"],
)
def test_a_file_that_is_no_look_is_refused_with_the_reason(
    tmp_path: Path, document: Any, says: str
) -> None:
    file = tmp_path / "theme.json"
    file.write_text(json.dumps(document or [1]))
    with pytest.raises(ThemeUnusable, match=says):
        read_look(Chat(theme_file=str(file)))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "theme.yaml"
    with pytest.raises(ThemeUnusable, match="cannot be read"):
        read_look(Chat(theme_file=str(file)))
    file.write_text("a: [")
    with pytest.raises(ThemeUnusable, match="neither YAML nor JSON"):
        read_look(Chat(theme_file=str(file)))
    file.write_text("#" * 300_000)
    with pytest.raises(ThemeUnusable, match="larger than"):
        read_look(Chat(theme_file=str(file)))
