"""Writes the generated pages of the reference.

`python -m bascule.settings.reference > docs/reference/settings.md`
`python -m bascule.settings.reference schema > docs/reference/bascule.schema.json`
"""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from bascule.settings.inventory import Setting, inventory, sections
from bascule.settings.schema import json_schema

_INTRODUCTION: Final = """\
# Settings

<!-- Generated: python -m bascule.settings.reference > docs/reference/settings.md -->

A value is taken from the strongest of these that has it: a flag, an environment variable, the
overlay `bascule.<environment>.yaml`, `bascule.yaml`, the default. `bascule config show` names the
source of each. A list in an environment variable or a flag is written with commas.

A file may refer to what it must not hold. A secret is always given so; one that stands in the
file itself is refused.

| reference | stands for |
|---|---|
| `${NAME}` | the environment variable; unset is an error |
| `${NAME:default}` | the environment variable, or the default where it is unset |
| `${file:path}` | the content of a file, relative to the settings file; its last line break goes |
| `$${` | the characters `${` |

For checks while typing, start the file with
`# yaml-language-server: $schema=bascule.schema.json` and put the
[schema](bascule.schema.json) beside it.
"""


def settings_page() -> str:
    """The page that lists every setting, in Markdown."""
    return "\n".join([_INTRODUCTION, *_sections()])


def schema_page() -> str:
    """The JSON Schema as published."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _sections() -> Iterator[str]:
    for name, model in sections().items():
        yield f"## {name}\n\n{model.model_json_schema()['description']}\n"
        yield from (_setting(one) for one in inventory().values() if one.section == name)


def _setting(setting: Setting) -> str:
    unit = f", in {setting.unit}" if setting.unit else ""
    effect = "after a restart" if setting.needs_restart else "on reload, without a restart"
    return "\n".join(
        [
            f"### `{setting.key}`\n",
            f"{setting.meaning}\n",
            f"- Value: {setting.accepts}{unit}",
            f"- Default: {_default(setting.default)}",
            f"- Environment: `{setting.variable}`",
            f"- A change takes effect {effect}\n",
        ]
    )


def _default(default: object) -> str:
    return f"`{json.dumps(default)}`" if default not in ("", []) else "empty"


def main(arguments: Sequence[str]) -> int:
    """Write the page named by `arguments` (settings, schema) to standard output."""
    pages = {"": settings_page, "settings": settings_page, "schema": schema_page}
    page = pages.get(" ".join(arguments))
    if page is None:
        sys.stderr.write("usage: python -m bascule.settings.reference [settings | schema]\n")
        return 2
    sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
