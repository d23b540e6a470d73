"""Environment variables and flags, as entries."""

import re
from collections.abc import Mapping
from typing import Final

from bascule.settings.entry import Entry, Layer, given
from bascule.settings.inventory import PREFIX, inventory
from bascule.settings.problem import Problem

_SEPARATOR: Final = "__"
# Kubernetes tells every pod about a Service named bascule-server in BASCULE_SERVER_PORT.
_SERVICE_LINK: Final = re.compile(r"(tcp|udp|sctp)://")


def environment_entries(environ: Mapping[str, str]) -> tuple[list[Entry], list[Problem]]:
    """Entries for every `BASCULE_SECTION__KEY`, and problems for near misses.

    Other variables with the prefix belong to the command line and are left alone.
    """
    nearly = {
        setting.variable.replace(_SEPARATOR, "_"): setting for setting in inventory().values()
    }
    entries: list[Entry] = []
    problems: list[Problem] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        value = environ[variable]
        if _SEPARATOR in variable:
            key = variable.removeprefix(PREFIX).lower().replace(_SEPARATOR, ".", 1)
            entries.append(given(Layer.ENVIRONMENT, key, variable, value))
        elif variable in nearly and not _SERVICE_LINK.match(value):
            setting = nearly[variable]
            what = f"{variable} would have no effect: two underscores part section and key."
            where = f"environment {variable}"
            problems.append(Problem(where, setting.key, what, f"Name it {setting.variable}."))
    return entries, problems


def flag_entries(flags: Mapping[str, object]) -> list[Entry]:
    """Entries for the flags given, keyed by setting; None means the flag was not given."""
    known = inventory()
    return [
        given(Layer.FLAG, key, known[key].flag if key in known else key, value)
        for key, value in flags.items()
        if value is not None
    ]
