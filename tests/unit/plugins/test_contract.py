import bascule.plugins
from bascule.plugins import ENTRY_POINTS, PluginContext, Slot


def test_settings_of_a_plugin_may_be_secret_and_are_not_shown() -> None:
    assert "hush" not in repr(PluginContext("office", "production", {"token": "hush"}))


def test_what_plugins_are_told_to_use_is_there() -> None:
    assert all(hasattr(bascule.plugins, name) for name in bascule.plugins.__all__)
    assert ENTRY_POINTS == "bascule.plugins"
    assert [slot.value for slot in Slot] == ["identified", "authorised", "validated"]
