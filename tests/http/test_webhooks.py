"""Webhooks that use the server before they answer: nobody waits for them but the request that they are asked about."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
from typing import TYPE_CHECKING, Any

from tests.apiserver.webhook_server import WebhookServer
from tests.clients import serving
from tests.http.asgi import config_map, deployment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.serving import Served

MAPS = "/api/v1/namespaces/default/configmaps"
WEB = "/apis/apps/v1/namespaces/default/deployments/web"
HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
Object = dict[str, Any]


def configuration(hook: WebhookServer, resource: str, operations: list[str], timeout_s: int = 5) -> Object:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": [resource], "operations": operations}
    webhook = {
        "name": "asks.example.com", "clientConfig": hook.config, "rules": [rule], "sideEffects": "None",
        "admissionReviewVersions": ["v1"], "timeoutSeconds": timeout_s,
        "objectSelector": {"matchExpressions": [{"key": "own", "operator": "DoesNotExist"}]},
    }  # fmt: skip
    meta = {"name": "asks"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": meta,
        "webhooks": [webhook],
    }  # fmt: skip


def labelled(server: Served, seen: list[str]) -> Any:
    """A webhook that reads a ConfigMap and writes another one before it allows and labels what it is asked about."""

    def answer(request: Object) -> Object:
        found = server.call("GET", f"{MAPS}/settings")["data"]["team"]
        note = config_map(f"seen-{len(seen)}")
        note["metadata"]["labels"] = {"own": "yes"}
        seen.append(server.call("POST", MAPS, note)["metadata"]["name"])
        patch = [{"op": "add", "path": "/metadata/labels", "value": {"team": found}}]
        if (request["object"]["metadata"].get("labels")) is not None:
            patch = [{"op": "add", "path": "/metadata/labels/team", "value": found}]
        return {
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        }

    return answer


def test_a_webhook_reads_and_writes_before_it_answers(tmp_path: Path) -> None:
    with serving.served(tmp_path) as server:
        server.call("POST", MAPS, {**config_map("settings"), "data": {"team": "blue"}})
        seen: list[str] = []
        with WebhookServer(tmp_path, labelled(server, seen)) as hook:
            server.call("POST", HOOKS, configuration(hook, "configmaps", ["CREATE", "UPDATE"]))
            made = server.call("POST", MAPS, config_map("asked"))
            assert (made["metadata"]["labels"], seen) == ({"team": "blue"}, ["seen-0"])
            changed = server.call("PATCH", f"{MAPS}/asked", {"data": {"n": "2"}}, "application/merge-patch+json")
            assert (changed["data"]["n"], seen) == ("2", ["seen-0", "seen-1"])


def test_the_engine_waits_for_a_webhook_alone(tmp_path: Path) -> None:
    with serving.served(tmp_path) as server:
        server.call("POST", MAPS, {**config_map("settings"), "data": {"team": "blue"}})
        seen: list[str] = []
        with WebhookServer(tmp_path, labelled(server, seen)) as hook:
            server.call("POST", HOOKS, configuration(hook, "pods", ["CREATE"]))
            server.call("POST", "/apis/apps/v1/namespaces/default/deployments", deployment("web", 5))
            begun = time.perf_counter()
            while server.call("GET", WEB)["status"].get("readyReplicas") != 5 and time.perf_counter() - begun < 20:
                time.sleep(0.05)
            pods = server.call("GET", "/api/v1/namespaces/default/pods")["items"]
            assert [one["metadata"]["labels"]["team"] for one in pods] == ["blue"] * 5
            assert [one["status"]["phase"] for one in pods] == ["Running"] * 5
            assert len(seen) == len(hook.asked) == 5, (
                "each pod is asked about once, however often the engine begins anew"
            )


def test_a_webhook_that_changes_what_it_is_asked_about_is_asked_again(tmp_path: Path) -> None:
    with serving.served(tmp_path) as server:
        server.call("POST", MAPS, config_map("a"))
        times: list[str] = []

        def answer(request: Object) -> Object:
            times.append(request["object"]["data"].get("mine", ""))
            if len(times) == 1:
                server.call("DELETE", f"{MAPS}/a")
                server.call("POST", MAPS, {**config_map("a"), "data": {"mine": "1"}})
            return {"allowed": True}

        with WebhookServer(tmp_path, answer) as hook:
            rules = configuration(hook, "configmaps", ["UPDATE"])
            server.call("POST", HOOKS, rules)
            found = server.call("PATCH", f"{MAPS}/a", {"data": {"theirs": "2"}}, "application/merge-patch+json")
            assert {name: found["data"].get(name) for name in ("mine", "theirs")} == {"mine": "1", "theirs": "2"}
            assert times[-1] == "1", "the last time it was asked about the object as it is now"


def test_others_are_served_while_a_webhook_hangs(tmp_path: Path) -> None:
    release = threading.Event()

    def answer(request: Object) -> Object:
        release.wait(20)
        return {"allowed": True}

    with serving.served(tmp_path) as server, WebhookServer(tmp_path, answer) as hook:
        server.call("POST", HOOKS, configuration(hook, "secrets", ["CREATE"], timeout_s=1))
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
        refused: list[str] = []

        def ask() -> None:
            try:
                server.call("POST", "/api/v1/namespaces/default/secrets", secret)
            except urllib.error.HTTPError as error:
                refused.append(json.loads(error.read())["message"])

        asking = threading.Thread(target=ask)
        asking.start()
        began = time.perf_counter()
        for number in range(10):
            server.call("POST", MAPS, config_map(f"m{number}"))
        assert time.perf_counter() - began < 1, "ten writes within the time that the webhook takes for none"
        asking.join()
        release.set()
        assert len(refused) == 1 and refused[0].endswith("context deadline exceeded"), refused
