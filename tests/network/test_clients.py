"""curl, wget, nc and nslookup inside a container."""

from __future__ import annotations

import pytest

from minikube_py.network import clients
from tests.network import world


def said(command: str, name: str = "shop/client") -> tuple[str, str, int] | None:
    namespace, _, pod = name.partition("/")
    tool, *words = command.split()
    cluster = world.cluster()
    return clients.inside(cluster.get("pods", pod, namespace), cluster.view, cluster.clock)(tool, words)


@pytest.mark.parametrize(
    ("command", "out", "err", "code"),
    [
        ("curl -s -o /dev/null -w %{http_code} web", "200", "", 0),
        ("curl -so /dev/null -w %{http_code} web/nope", "404", "", 0),
        ("curl -w %{http_code} -s empty", "000", "", 7),
        ("curl empty", "", "curl: (7) Failed to connect to empty port 80 after 0 ms: Could not connect to server\n", 7),
        ("curl -m 3 web:83", "", "curl: (28) Connection timed out after 3000 milliseconds\n", 28),
        ("curl -m3 -sS web:83", "", "curl: (28) Connection timed out after 3000 milliseconds\n", 28),
        ("curl -f web/nope", "", "curl: (22) The requested URL returned error: 404\n", 22),
        ("curl -I web", "HTTP/1.1 200 OK\n\n", "", 0),
        ("curl ftp://web", "", 'curl: (1) Protocol "ftp" not supported\n', 3),
        ("wget -q -O /dev/null web", "", "", 0),
        ("wget -qO- web/nope", "", "wget: server returned error: HTTP/1.1 404 Not Found\n", 1),
        ("wget -T 1 empty", "", "wget: can't connect to remote host: Connection refused\n", 1),
        ("wget web:83", "", "wget: download timed out\n", 1),
        ("/usr/bin/nc -zv db 5432", "", "db (5432) open\n", 0),
        ("nc -z -w 1 empty 80", "", "", 1),
        ("nc -zv empty 80", "", "nc: empty (80): Connection refused\n", 1),
    ],
)
def test_what_they_say(command: str, out: str, err: str, code: int) -> None:
    assert said(command) == (out, err, code)


def test_the_page_names_the_pod() -> None:
    found = said("curl -s web")
    assert found is not None and found[0].startswith("200 OK from pod shop/web-") and found[0].endswith(" (1.27)\n")
    assert said("wget -qO- web") == found


def test_names_are_looked_up_with_the_search_domains() -> None:
    found = said("nslookup web")
    assert found is not None
    assert f"Name:\tweb.shop.svc.cluster.local\nAddress: {world.address('web')}\n" in found[0]
    assert said("nslookup web.shop", "default/shut") == (
        "",
        ";; connection timed out; no servers could be reached\n",
        1,
    )


@pytest.mark.parametrize(
    "command", ["curl https://example.com", "wget nowhere", "nslookup nope", "nc -l 80", "curl", "psql"]
)
def test_what_the_network_does_not_know_is_left_to_the_shell(command: str) -> None:
    assert said(command) is None


def test_requests_of_one_second_go_to_different_pods() -> None:
    cluster = world.cluster()
    call = clients.inside(cluster.get("pods", "client", "shop"), cluster.view, cluster.clock)
    assert len({call("curl", ["-s", "web"]) for _ in range(40)}) == 3
