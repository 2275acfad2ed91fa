"""`kubectl version`: kpy as the client, the cluster's Kubernetes version as the server."""

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
    whole: dict[str, Any] = {"clientVersion": _build(KUBECTL), "kustomizeVersion": KUSTOMIZE}
    if server:
        whole["serverVersion"] = server_version(server)
    if output == "json":
        from minikube_py.base.gotext import json_indented

        call.line(json_indented(whole, "  "))
    else:
        from minikube_py.printers import yaml_text

        call.say(yaml_text.dump(whole) + "\n")


def _build(version: str) -> dict[str, str]:
    import platform
    import sys

    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    major, minor = version.removeprefix("v").split(".")[:2]
    return {
        "compiler": "kpy",
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "gitVersion": version,
        "goVersion": f"python{platform.python_version()}",
        "major": major,
        "minor": minor,
        "platform": f"{sys.platform}/{machine}",
    }


def server_version(version: str) -> dict[str, str]:
    """What `GET /version` answers."""
    build = _build(version)
    return {
        **build,
        "emulationMajor": build["major"],
        "emulationMinor": build["minor"],
        "minCompatibilityMajor": build["major"],
        "minCompatibilityMinor": str(int(build["minor"]) - 1),
    }
