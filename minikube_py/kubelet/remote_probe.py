"""Probes with a `host`: the kubelet asks somebody else than the container, through the network, from its own machine.

Such an answer may change with anything in the cluster, so that it is asked for at each of the probe's instants.
Source: pkg/kubelet/prober/prober.go (runProbe), pkg/probe/http/http.go, pkg/probe/tcp/tcp.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.network import places, routes
from minikube_py.network.requests import Request

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker
    from minikube_py.network.routes import Outcome

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SILENT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


def host_of(probe: Object, worker: Worker) -> str:
    """The host that a probe names, if that is not the pod itself; ''."""
    host: str = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("host") or ""
    if host in ("", worker.memory.get("ip"), worker.memory.get("ip6")):
        return ""
    return "" if host in LOOPBACK and worker.spec.get("hostNetwork") else host


class RemoteQuestion:
    """A probe of `host`; what `programs.answers.Question` is for the container itself, but only for now. `port`: its number."""

    def __init__(self, probe: Object, host: str, port: int, worker: Worker) -> None:
        self._http = probe.get("httpGet")
        self._host, self._port = host, port
        self._limit_s = probe.get("timeoutSeconds", 1)
        self._worker = worker

    def at(self, second: int) -> tuple[bool, str]:
        """(whether the probe succeeds, 'failed: ...'), whatever the second."""
        outcome = self._ask()
        if self._http is None:
            return bool(outcome.status), f"failed: {self._problem(outcome)}"
        if outcome.status:
            return 200 <= outcome.status < 400, f"failed: HTTP probe failed with statuscode: {outcome.status}"
        path = self._http.get("path") or "/"
        url = f"{self._scheme}://{self._host}:{self._port}{'' if path[0] == '/' else '/'}{path}"
        return False, f'failed: Get "{url}": {self._problem(outcome)}'

    @property
    def _scheme(self) -> str:
        return ((self._http or {}).get("scheme") or "HTTP").lower()

    def _ask(self) -> Outcome:
        """From the node; its own loopback is asked by its address."""
        source = places.of_node(self._worker.node)
        host = source.ip if self._host in LOOPBACK else self._host
        http = self._http or {}
        headers = tuple((one["name"], one.get("value", "")) for one in http.get("httpHeaders") or ())
        asked = Request(self._scheme, host, self._port, http.get("path") or "/", headers=headers, insecure=True)
        return routes.request(self._worker.view, self._worker.clock, source, asked, limit_s=self._limit_s)

    def _problem(self, outcome: Outcome) -> str:
        where = f"dial tcp {self._host}:{self._port}"
        if outcome.cause == "dns":
            return f"dial tcp: lookup {self._host}: no such host"
        if outcome.cause == "refused":
            return f"{where}: connect: connection refused"
        return f"{where}: i/o timeout" if self._http is None else SILENT
