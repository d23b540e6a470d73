from bascule.upstreams.mcp.settings import McpConfig


def test_list_of_tools_is_bounded_in_pages_and_tools() -> None:
    assert (McpConfig().max_pages, McpConfig().max_tools) == (100, 10_000)


def test_probe_is_over_before_the_start_is_given_up() -> None:
    assert McpConfig().probe_seconds < McpConfig().start_seconds
