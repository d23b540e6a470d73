"""Code of others: what is used, and what it may use up."""

from typing import Annotated

from pydantic import Field

from bascule.settings.section import Section, setting
from bascule.settings.values import Name, Seconds


class Sandbox(Section):
    """What a WebAssembly module may use up."""

    max_fuel: Annotated[int, Field(ge=1_000, le=1_000_000_000_000)] = setting(
        1_000_000_000,
        "Instructions that one call may execute, about; a thousand million take some 0.1 seconds.",
        unit="instructions",
    )
    max_memory_bytes: Annotated[int, Field(ge=65_536, le=4_294_967_296)] = setting(
        67_108_864, "Memory that one call may have.", unit="bytes"
    )
    max_seconds: Seconds = setting(
        5.0, "Time that one call may take, whatever its fuel.", unit="seconds"
    )
    max_output_bytes: Annotated[int, Field(ge=1_024, le=1_073_741_824)] = setting(
        1_048_576, "Largest result of a call.", unit="bytes"
    )
    max_module_bytes: Annotated[int, Field(ge=1_024, le=52_428_800)] = setting(
        4_194_304, "Largest module that is accepted.", unit="bytes"
    )
    concurrent_calls: Annotated[int, Field(ge=1, le=256)] = setting(
        4, "Calls that run side by side, per process; more wait.", unit="calls"
    )


class Plugins(Section):
    """Code of others that is part of this gateway."""

    enabled: Annotated[tuple[Name, ...], Field(max_length=64)] = setting(
        (),
        "Plugins that are used, in the order in which their stages run. A plugin that is installed "
        "and not named here is not even imported; one that is named must work, or nothing starts.",
        accepts="names of entry points in the group bascule.plugins",
    )
    settings_file: str = setting(
        "",
        "A YAML file with the settings of plugins: a mapping for each, under its name. References "
        "such as `${NAME}` and `${file:…}` are resolved in it.",
        accepts="a path, or nothing",
    )
