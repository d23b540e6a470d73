"""`bascule whoami`: who a key makes you."""

from bascule.cli.connection import Target
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_value

_PATH = "/api/me"


def whoami(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show who you are to the instance, in which tenant, and what you may do."""
    print_value(with_api(Target(data, url, key), lambda api: api.get(_PATH)), output)
