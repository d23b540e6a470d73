import asyncio
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from bascule.gateway.call import Call
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Verdict
from bascule.plugins import Placed, Plugin, PluginContext, Slot
from bascule.plugins import loading as module
from bascule.plugins.loading import (
    Installed,
    PluginUnusable,
    close_plugins,
    installed_plugins,
    load_plugins,
)
from fakes.stages import FakeStage


class Given(EntryPoint):
    """An entry point that leads to an object of the test."""

    def load(self) -> Any:
        return globals()[self.attr]


def installed(name: str, attribute: str, package: str = "bascule-test") -> Installed:
    return Installed(name, package, "1.2", Given(name, f"here:{attribute}", "bascule.plugins"))


def whole(context: PluginContext) -> Plugin:
    assert context.settings == {"a": 1}
    return Plugin(stages=[Placed(Slot.AUTHORISED, FakeStage())])


def broken(context: PluginContext) -> Plugin:
    raise ValueError(f"{context.name} needs a setting")


def nothing(context: PluginContext) -> object:
    return context.name


class Blocking:
    name = "blocking"
    on_failure = FailureMode.CLOSED

    def inbound(self, call: Call) -> Verdict:
        del call
        return PASS


def blocking(_: PluginContext) -> Plugin:
    return Plugin(stages=[Placed(Slot.IDENTIFIED, Blocking())])  # type: ignore[arg-type]


def nameless(_: PluginContext) -> Plugin:
    return Plugin(stages=[Placed(Slot.IDENTIFIED, object())])  # type: ignore[arg-type]


def connected(_: PluginContext) -> Plugin:
    return Plugin(connectors={"queries": object()})  # type: ignore[dict-item]


def oddly_connected(_: PluginContext) -> Plugin:
    return Plugin(connectors={"a:b": object()})  # type: ignore[dict-item]


ALL = [
    installed(name, name)
    for name in (
        "whole", "broken", "nothing", "blocking", "nameless", "connected", "oddly_connected",
    )
]  # fmt: skip


def test_an_enabled_plugin_is_made_with_its_settings() -> None:
    (loaded,) = load_plugins(["whole"], ALL, {"whole": {"a": 1}}, "production")
    assert (loaded.name, loaded.package, loaded.version) == ("whole", "bascule-test", "1.2")
    assert loaded.plugin.stages[0].slot is Slot.AUTHORISED


def test_what_is_not_enabled_is_not_made() -> None:
    assert load_plugins([], ALL, {}, "production") == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hole", "Did you mean whole?"),
        ("something else entirely", "not installed here. Install"),
        ("broken", "cannot be used: ValueError: broken needs a setting"),
        ("nothing", "gave str, not bascule.plugins.Plugin"),
        ("blocking", "Blocking.inbound is no async function"),
        ("nameless", "a stage object without name"),
        ("oddly_connected", "a name has no colon"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_told_by_name(name: str, said: str) -> None:
    with pytest.raises(PluginUnusable) as failure:
        load_plugins([name], ALL, {}, "production")
    assert said in failure.value.public


def test_two_packages_with_one_name_are_told_apart() -> None:
    twice = [installed("whole", "whole", "one"), installed("whole", "whole", "two")]
    with pytest.raises(PluginUnusable, match="one and two"):
        load_plugins(["whole"], twice, {}, "production")


def test_two_connectors_of_one_name_are_refused() -> None:
    both = [installed("first", "connected"), installed("second", "connected")]
    with pytest.raises(PluginUnusable, match="first and second both have a connector queries"):
        load_plugins(["first", "second"], both, {}, "production")


def test_installed_plugins_are_found_without_being_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = EntryPoint("ghost", "no_such_module:plugin", module.ENTRY_POINTS)

    def found(*, group: str) -> list[EntryPoint]:
        assert group == "bascule.plugins"
        return [entry]

    monkeypatch.setattr(module, "entry_points", found)
    (ghost,) = installed_plugins()
    assert (ghost.name, ghost.package, ghost.entry) == ("ghost", "unknown", entry)


async def test_plugins_are_closed_last_first_whatever_one_of_them_does() -> None:
    closed: list[str] = []

    def closing(name: str, crash: Exception | None = None) -> module.Loaded:
        async def close() -> None:
            closed.append(name)
            if crash is not None:
                raise crash

        return module.Loaded(name, "p", "1", Plugin(close=close))

    await close_plugins([closing("a"), closing("b", ValueError("no")), closing("c")])
    assert closed == ["c", "b", "a"]


async def test_a_plugin_that_does_not_close_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLOSING_SECONDS", 0.01)

    async def never() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(5):
        await close_plugins([module.Loaded("a", "p", "1", Plugin(close=never))])


async def test_a_plugin_need_not_close_anything() -> None:
    await Plugin().close()
