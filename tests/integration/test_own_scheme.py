"""Which pages may use a session behind the shipped nginx configuration, by http and behind a proxy that ends TLS."""

from pathlib import Path

import pytest

from deploy.demo import servers
from deploy.demo.admin import Rule, login
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack
from tests.integration.asking import Carried, ask, verdict
from tests.integration.conftest import Newcomer

HOST = "sidecar.test"  # as the tests' client names it
DONE, REFUSED = (201, None), (403, "FOREIGN_ORIGIN")
SAID = "proxy_set_header X-Forwarded-Proto"


@pytest.mark.parametrize(("written", "own", "other"), [("$scheme", "http", "https"), ("https", "https", "http")])
async def test_a_page_by_another_scheme(
    *, stack: Stack, newcomer: Newcomer, tmp_path: Path, written: str, own: str, other: str
) -> None:
    """X1: with a real session a page of the same host by another scheme changes nothing; one by its own does."""
    person = await newcomer(Rule("customers", "read"), Rule("customers", "create"))
    port = free_port()
    async with stack.sidecar() as sidecar:
        http = servers.shipped(port=port, directus=stack.directus.url, sidecar=sidecar.url)
        assert f"{SAID} $scheme;" in http
        http = http.replace(f"{SAID} $scheme;", f"{SAID} {written};")
        async with servers.nginx_with(http, tmp_path / "nginx", port=port, log=tmp_path / "nginx.log") as nginx:
            session = await login(nginx.url, person)
            answers = [
                await ask(
                    nginx.url,
                    "/stripe/customers",
                    session,
                    carried=Carried.COOKIE,
                    new={"email": "ada@example.com"},
                    headers=[("Origin", f"{scheme}://{HOST}"), ("X-Forwarded-Proto", other)],
                )
                for scheme in (own, other)
            ]

    assert [verdict(answer) for answer in answers] == [DONE, REFUSED]
