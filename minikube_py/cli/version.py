"""`kubectl version`: the kubectl that kpy follows as the client, the cluster's Kubernetes version as the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

KUBECTL = "v1.37.1"  # the kubectl that kpy follows to the letter
KUSTOMIZE = "v5.8.1"


def run(call: Call) -> None:
    output = call.text("output")
    if call.args and not call.on("client"):
        raise UsageError(f"extra arguments: [{' '.join(call.args)}]")
    if output not in ("", "yaml", "json"):
        raise UsageError("--output must be 'yaml' or 'json'")
    server = "" if call.on("client") else call.cluster.info.kubernetes_version
    if not output:
        call.line(f"Client Version: {KUBECTL}\nKustomize Version: {KUSTOMIZE}")
        if server:
            call.line(f"Server Version: {server}")
        return
    whole: dict[str, Any] = {"clientVersion": CLIENT, "kustomizeVersion": KUSTOMIZE}
    if server:
        from minikube_py.cluster import server_version

        whole["serverVersion"] = server_version(server)
    if output == "json":
        import json

        call.line(json.dumps(whole, indent=2))
    else:
        from minikube_py.printers import yaml_text

        call.say(yaml_text.dump(whole) + "\n")


# What the kubectl and the kube-apiserver that kpy follows say about themselves.
CLIENT = {
    "major": "1",
    "minor": "37",
    "gitVersion": KUBECTL,
    "gitCommit": "f78e722310e50bcaca9276be22276d9e91d91308",
    "gitTreeState": "clean",
    "buildDate": "2026-09-23T17:10:04Z",
    "goVersion": "go1.26.8",
    "compiler": "gc",
    "platform": "linux/amd64",
}
