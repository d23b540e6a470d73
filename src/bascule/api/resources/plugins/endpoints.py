"""`/api/admin/plugins`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, ServerReader
from bascule.api.resources.plugins.schemas import Plugin, PluginList, PluginStage
from bascule.plugins.loading import Loaded

router = APIRouter(prefix="/api/admin/plugins", tags=["plugins"])


@router.get("")
async def list_plugins(control: ControlPlane, _caller: ServerReader) -> PluginList:
    """List the plugins that this gateway uses, and what each adds."""
    plugins = [_shown(one) for one in control.plugins]
    return PluginList(plugins=plugins, total=len(plugins))


def _shown(loaded: Loaded) -> Plugin:
    plugin = loaded.plugin
    return Plugin(
        name=loaded.name,
        package=loaded.package,
        version=loaded.version,
        stages=[PluginStage(slot=one.slot, name=one.stage.name) for one in plugin.stages],
        guards=[guard.name for guard in plugin.guards],
        connectors=sorted(plugin.connectors),
        observers=len(plugin.observers),
    )
