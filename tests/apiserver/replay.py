"""The seam through which recorded commands are replayed: `run(command, stdin) -> (exit code, stdout, stderr)`.

`Replay` knows the few kubectl commands that the API server's part decides: create, apply, patch, label and run. It is to
be exchanged for the real command line; tests ask nothing but `run`.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, NamedTuple

import yaml

from minikube_py.api import decode, schema
from minikube_py.api.types import Key
from minikube_py.base import patch
from minikube_py.base.errors import KpyError
from minikube_py.cli import failures
from tests.apiserver.small import REGISTRY, SmallServer

Object = dict[str, Any]


class Result(NamedTuple):
    code: int
    stdout: str
    stderr: str


class Unknown(Exception):
    """A command that this replay does not know."""


def deployment(name: str, image: str) -> Object:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def generated(words: list[str]) -> tuple[Object, str]:
    """What `kubectl create KIND NAME` sends, and how it begins the line about a refusal."""
    kind, name = words[0], words[1]
    if kind in ("ns", "namespace"):
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, ""
    if kind == "configmap":
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}, "configmap: "
    if kind == "secret":
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": words[2]}, "type": "Opaque"}
        return secret, "secret "
    if kind == "deployment":
        return deployment(name, "nginx"), "deployment: "
    if kind == "job":
        pod = {"restartPolicy": "Never", "containers": [{"name": name, "image": "nginx"}]}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}
        return job, "job: "
    if kind == "service" and words[1] in ("clusterip", "nodeport", "loadbalancer") and "--tcp" in " ".join(words):
        sort = {"clusterip": "ClusterIP", "nodeport": "NodePort", "loadbalancer": "LoadBalancer"}[words[1]]
        spec = {"type": sort, "ports": [{"port": 80}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": words[2]}, "spec": spec}
        return service, f"{sort} service: "
    raise Unknown(kind)


class Replay:
    """Commands against a small server."""

    def __init__(self, server: SmallServer, namespace: str = "default") -> None:
        self.server, self.namespace = server, namespace

    def run(self, command: str, stdin: str = "") -> Result:
        """Raises Unknown for commands that are not about the API server."""
        found = re.match(r"kubectl (?:-n (\S+) )?(create|apply|patch|label|run)\b ?(.*)", command, re.S)
        if found is None or "--server-side" in command or "--dry-run=client" in command:
            raise Unknown(command)
        namespace, verb, rest = found.group(1) or self.namespace, found.group(2), found.group(3)
        if "-f -" in rest:
            return self._file(verb, rest, namespace, stdin)
        if verb == "create":
            obj, start = generated(shlex.split(rest))
            return self._one(lambda: self.server.create(obj, namespace), "created", f"failed to create {start}")
        if verb == "run":
            name = shlex.split(rest)[0]
            spec = {"containers": [{"name": name, "image": "nginx"}]}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
            return self._one(lambda: self.server.create(pod, namespace), "created")
        return self._patch(rest, namespace) if verb == "patch" else self._label(rest)

    def _file(self, verb: str, rest: str, namespace: str, stdin: str) -> Result:
        if any(given in rest for given in ("-o ", "--prune")):
            raise Unknown(rest)
        strictness = {"false": "Ignore", "warn": "Warn"}.get(rest.partition("--validate=")[2].split(" ")[0], "Strict")
        code, out, err = 0, "", ""
        for document in yaml.load_all(stdin, Loader=yaml.CSafeLoader):
            for obj in document["items"] if document["kind"].endswith("List") else [document]:
                result = self._put(verb, obj, namespace, strictness)
                code, out, err = max(code, result.code), out + result.stdout, err + result.stderr
        return Result(code, out, err)

    def _put(self, verb: str, obj: Object, namespace: str, strictness: str) -> Result:
        kind = self.server.kind_of(obj)
        where = obj["metadata"].get("namespace", namespace) if kind.namespaced else ""
        old = self.server.view.get(Key(kind.resource, where, obj["metadata"].get("name", "")))
        unknown: list[str] = []

        def write() -> Object:
            nonlocal obj
            if strictness != "Strict":
                obj, found = decode.decode(kind, obj, strictness)
                unknown.extend(found)
            if verb == "create" or old is None:
                return self.server.create(obj, namespace)
            lists = schema.merge_keys(obj["apiVersion"], obj["kind"])
            assert lists is not None
            return self.server.update(patch.strategic(thaw(old), obj, lists))

        deed = "created" if verb == "create" or old is None else "configured"
        result = self._one(write, deed, creating="STDIN")
        return result._replace(stderr="".join(f"Warning: {text}\n" for text in unknown) + result.stderr)

    def _one(self, write: Any, deed: str, refused: str = "", creating: str = "") -> Result:
        try:
            obj = write()
        except KpyError as error:
            if refused.endswith((": ", "secret ")):
                return Result(1, "", f"error: {refused}{error}\n")
            told = failures.Sourced(error, "creating", creating) if creating else error
            return Result(1, "", failures.text(told))
        kind = self.server.kind_of(obj)
        warnings = "".join(f"Warning: {text}\n" for text in self.server.warnings)
        return Result(0, f"{kind.qualified}/{obj['metadata']['name']} {deed}\n", warnings)

    def _patch(self, rest: str, namespace: str) -> Result:
        found = re.match(r"(\S+) (\S+)((?: --\S+)*) -p (.*)$", rest, re.S)
        if found is None:
            raise Unknown(rest)
        word, name, flags, body = found.groups()
        kind = REGISTRY.named(word)
        old = kind and self.server.view.get(Key(kind.resource, namespace if kind.namespaced else "", name))
        if kind is None or old is None:
            raise Unknown(rest)
        whole = {"apiVersion": kind.version, "kind": kind.name, **thaw(old)}
        change = json.loads(body)
        if "--type=json" in flags:
            new = patch.json_patch(whole, change)
        elif "--type=merge" in flags:
            new = patch.merge(whole, change)
        else:
            lists = schema.merge_keys(whole["apiVersion"], whole["kind"])
            assert lists is not None
            new = patch.strategic(whole, change, lists)
        subresource = flags.partition("--subresource=")[2].split(" ")[0]
        return self._one(lambda: self.server.update(new, subresource), "patched")

    def _label(self, rest: str) -> Result:
        found = re.fullmatch(r"ns (\S+) (\S+)=(\S+)( --overwrite)?", rest)
        old = found and self.server.view.get(Key("namespaces", "", found.group(1)))
        if found is None or old is None:
            raise Unknown(rest)
        new = {"apiVersion": "v1", "kind": "Namespace", **thaw(old)}
        new["metadata"].setdefault("labels", {})[found.group(2)] = found.group(3)
        return self._one(lambda: self.server.update(new), "labeled")


def thaw(obj: Any) -> Any:
    """A frozen object as plain dicts and lists that may be changed."""
    return json.loads(json.dumps(obj))
