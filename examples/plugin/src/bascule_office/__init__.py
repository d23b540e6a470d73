"""An example of a plugin: one of each kind of thing that a plugin can add."""

from typing import Any

from bascule.plugins import Placed, Plugin, PluginContext, Slot
from bascule_office.accounts import HideAccounts
from bascule_office.hours import OfficeHours
from bascule_office.queries import NamedQueries
from bascule_office.tally import Tally


def plugin(context: PluginContext) -> Plugin:
    """Make the plugin from what the operator wrote for it.

    Raises:
        ValueError: a setting is missing or wrong; the gateway then does not start, and says so.
    """
    hours: Any = context.settings.get("hours", {"from": 8, "to": 18})
    if not isinstance(hours, dict) or set(hours) != {"from", "to"}:
        raise ValueError("hours needs `from` and `to`, as in: hours: {from: 8, to: 18}")
    folder = str(context.settings.get("queries", ""))
    tally = Tally()
    return Plugin(
        stages=[Placed(Slot.AUTHORISED, OfficeHours(int(hours["from"]), int(hours["to"])))],
        guards=[HideAccounts()],
        connectors={"queries": NamedQueries(folder)} if folder else {},
        observers=[tally],
        close=tally.report,
    )
