"""kpy curl, dns and traffic, and what `exec` sees of the network."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def web(kpy: Callable[..., Any]) -> Callable[..., Any]:
    kpy("create", "deployment", "web", "--image=nginx:1.27", "--replicas=2")
    kpy("expose", "deployment", "web", "--port=80")
    kpy("run", "client", "--image=busybox", "--", "sleep", "10000")
    kpy("reconcile")
    return kpy


def test_curl_prints_the_answer_and_with_v_the_way(web: Callable[..., Any]) -> None:
    result = web("curl", "web", "--from", "client", "-v")
    assert result.out.startswith("HTTP/1.1 200 OK\n200 OK from pod default/web-")
    assert [line.split()[1] for line in result.err.splitlines()] == ["dns:", "service:", "endpoint:", "policy:", "pod:"]


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (("web",), 6, "curl: (6) Could not resolve host: web\n"),
        (("web:81", "--from", "client", "-m", "3"), 28, "curl: (28) Connection timed out after 3000 milliseconds\n"),
        (("web/x", "--from", "client", "-f"), 22, "curl: (22) The requested URL returned error: 404\n"),
        (("ftp://web",), 1, 'error: curl: (1) Protocol "ftp" not supported\n'),
        (("web", "-H", "nothing"), 1, 'error: "nothing" is not of the form NAME: VALUE\n'),
        (("web", "--from", "pod/nope"), 1, 'Error from server (NotFound): pods "nope" not found\n'),
    ],
)
def test_failures_have_curls_words_and_codes(
    web: Callable[..., Any], words: tuple[str, ...], code: int, err: str
) -> None:
    result = web("curl", *words)
    assert (result.code, result.out, result.err) == (code, "", err)


def test_a_pod_that_does_not_run_cannot_ask(web: Callable[..., Any]) -> None:
    web("run", "late", "--image=nginx")
    result = web("curl", "web", "--from", "late")
    assert result.err == 'error: pod "late" cannot ask: it is Pending (try `kpy reconcile`)\n'


def test_counting_answers(web: Callable[..., Any]) -> None:
    result = web("curl", "web", "--from", "client", "--count", "100")
    assert sum(int(line.split()[0]) for line in result.out.splitlines()) == 100
    assert len(result.out.splitlines()) == 2


def test_dns_prints_records_and_what_was_tried(web: Callable[..., Any]) -> None:
    result = web("dns", "kubernetes.default", "-v")
    assert result.out == "kubernetes.default.svc.cluster.local.\t30\tIN\tA\t10.96.0.1\n"
    assert result.err.splitlines()[0] == "; kubernetes.default.default.svc.cluster.local: NXDOMAIN"
    missing = web("dns", "nope")
    assert (missing.code, missing.err) == (1, "** server can't find nope: NXDOMAIN (no such name)\n")
    assert web("dns", "web", "--type", "MX").err == "error: --type must be one of A, AAAA, CNAME, SRV, not MX\n"


def test_traffic_from_start_to_picture(web: Callable[..., Any], tmp_path: Path) -> None:
    assert web("traffic", "start", "svc/web", "--rate", "50").out == "traffic.sim.kpy.dev/traffic started: 50/s\n"
    web("reconcile", "--for", "1m")
    assert web("get", "traffic", "--no-headers").out.split()[:4] == ["traffic", "Running", "3000", "0"]
    picture = tmp_path / "traffic.svg"
    result = web("traffic", "status", "traffic", "--svg", str(picture))
    assert "3000 requests, 0 errors (0 %), p50 " in result.out
    assert "version 1.27  " in result.out
    assert ElementTree.parse(picture).getroot().get("viewBox") is not None
    pixels = tmp_path / "traffic.png"
    assert web("traffic", "status", "traffic", "--png", str(pixels)).err.endswith(f"{pixels} written\n")
    head = pixels.read_bytes()[:24]
    assert (head[:8], struct.unpack(">II", head[16:])) == (b"\x89PNG\r\n\x1a\n", (1720, 1076))
    lost = tmp_path / "nowhere" / "traffic.png"
    nowhere = web("traffic", "status", "traffic", "--png", str(lost))
    assert (nowhere.code, nowhere.err) == (1, f"error: cannot write {lost}: No such file or directory\n")
    web("traffic", "stop")
    web("reconcile", "--for", "1m")
    assert web("get", "traffic", "--no-headers").out.split()[:4] == ["traffic", "Paused", "3000", "0"]


def test_a_picture_in_pixels_needs_its_library(web: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    web("traffic", "start", "svc/web")
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert web("traffic", "status", "traffic", "--png", "x.png").err == (
        "error: --png needs the package resvg-py: pip install 'minikube-py[png]'; --svg needs none\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--ramp", "0:100:5m"), "ramp from 0 to 100/s over 5m"),
        (("--sine", "100:50:24h"), "sine around 100/s, +-50, every 24h"),
        (("--spike", "10:500:5m:30s"), "spike from 10 to 500/s for 30s"),
        (("--rate", "5", "--step", "1m=10", "--step", "2m=20"), "steps 5/s, 10/s, 20/s"),
    ],
)
def test_curves_by_flag(kpy: Callable[..., Any], words: tuple[str, ...], told: str) -> None:
    assert kpy("traffic", "start", "web", *words).out == f"traffic.sim.kpy.dev/traffic started: {told}\n"


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (("--spike", "1:2"), "error: --spike wants 4 values with colons between them, not '1:2'\n"),
        (("--ramp", "0:1:1m", "--sine", "1:1:1m"), "error: --ramp, --sine, --spike and --step exclude each other\n"),
        (("--ramp", "a:1:1m"), "error: not a number: 'a'\n"),
        (("--from", "app"), "error: --from wants outside, inside, or labels such as app=front, not 'app'\n"),
    ],
)
def test_wrong_curves(kpy: Callable[..., Any], words: tuple[str, ...], err: str) -> None:
    assert kpy("traffic", "start", "web", *words).err == err


def test_no_load_balancer(kpy: Callable[..., Any]) -> None:
    kpy("cluster", "start", "bare", "--no-load-balancer")
    kpy("create", "service", "loadbalancer", "web", "--tcp=80:80")
    kpy("reconcile", "--for", "1m")
    assert "<pending>" in kpy("get", "service", "web").out


def test_containers_see_the_same_network(web: Callable[..., Any]) -> None:
    assert web("exec", "client", "--", "wget", "-qO-", "web").out.startswith("200 OK from pod default/web-")
    script = "for i in 1 2 3; do wget -q -O /dev/null web/$i || echo $i failed; done"
    assert web("exec", "client", "--", "sh", "-c", script).out == "1 failed\n2 failed\n3 failed\n"
