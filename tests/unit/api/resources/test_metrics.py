"""Metrics, for monitoring that says who it is."""

from unit.api.site import Site, altered, error_of


async def test_who_may_read_metrics_gets_them_in_the_format_it_prefers(site: Site) -> None:
    def render(accept: str) -> tuple[str, bytes]:
        return "text/plain; version=0.0.4", f"# {accept}\nup 1\n".encode()

    async with altered(site, metrics=render) as other:
        answer = await other.get("/metrics", "system_admin", headers={"accept": "application/x"})
        assert (answer.status_code, answer.text) == (200, "# application/x\nup 1\n")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert (await other.get("/metrics", "viewer")).text.startswith("# ")
        assert (await other.get("/metrics", None)).status_code == 401
        assert (await other.get("/metrics", "user")).status_code == 403


async def test_what_is_counted_by_tenant_is_for_its_own_readers(site: Site) -> None:
    counts = {
        tenant: f'calls_total{{tool="a\\"b}}",tenant="{tenant}",status="ok"}} 1'
        for tenant in ("default", "acme")
    }
    build = 'bascule_build_info{version="1"} 1'
    alone = 'bascule_calls_total{method="tenant"} 9'
    body = "\n".join(["# HELP calls_total Calls.", *counts.values(), alone, build, ""])
    async with altered(site, metrics=lambda _: ("text/plain", body.encode())) as other:
        for tenant in counts:
            shown = (await other.get("/metrics", "operator", tenant=tenant)).text
            assert [one for one, line in counts.items() if line in shown] == [tenant]
            assert shown.startswith("# HELP")
            assert shown.endswith(f"{build}\n")
            assert alone not in shown, "it counts what everybody does"
        assert (await other.get("/metrics", "system_admin")).text == body


async def test_where_metrics_are_off_it_is_said(site: Site) -> None:
    answer = await site.get("/metrics", "viewer")
    assert answer.status_code == 404
    assert "observability.metrics_enabled" in error_of(answer)["message"]
