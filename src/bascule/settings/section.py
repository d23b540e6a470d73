"""What every section of the settings is made with."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def setting(
    default: Any, meaning: str, *, unit: str = "", accepts: str = "", reloads: bool = False
) -> Any:
    """A field. `accepts` says what is allowed where its type cannot; `reloads` needs no restart."""
    facts: dict[str, Any] = {"unit": unit, "accepts": accepts, "reloads": reloads}
    return Field(default, description=meaning, json_schema_extra={"x-setting": facts})


class Section(BaseModel):
    """One block of `bascule.yaml`; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
