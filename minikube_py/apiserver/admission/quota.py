"""ResourceQuota: what a namespace may hold in all.

`check` refuses a write that would pass a quota, by what the namespace uses now (`api.quotas`). `charge`, called between
`check` and the put, gives the new status of the quotas that the write counts against, to be stored in the same breath as
the real plugin does; without it the quota controller writes the same numbers a moment later.
Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go, pkg/quota/v1/evaluator/core/pods.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import quotas
from minikube_py.api.types import Key
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

_ENFORCED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})


def check(request: Request) -> None:
    """Refuses what would pass a quota of the namespace, or what a quota demands and the object leaves open."""
    found = request.view.list("resourcequotas", request.key.namespace) if request.key.namespace else []
    if not found:
        return
    obj = request.object
    assert obj is not None
    relevant = [quota for quota in found if quotas.counts(quota, request.key.resource, obj)]
    if request.verb == "CREATE" and request.key.resource == "pods":
        for quota in relevant:
            missing = _unspecified(obj, quotas.hard(quota))
            if missing:
                text = f"failed quota: {quota['metadata']['name']}: must specify {missing}"
                request.note("ResourceQuota", f"{request.key.namespace}/{quota['metadata']['name']}", "denies", text)
                raise request.forbidden(text)
    delta = _delta(request)
    for quota in relevant:
        _check_one(request, quota, delta)


def _check_one(request: Request, quota: Object, delta: quotas.Amounts) -> None:
    hard = quotas.hard(quota)
    asked = {name: value for name, value in delta.items() if name in hard}
    if not asked:
        return
    before = quotas.used(request.view, quota)
    after = {name: quantity.add(before.get(name, "0"), value) for name, value in asked.items()}
    passed = sorted(
        name
        for name, value in after.items()
        if quantity.compare(value, hard[name]) > 0 and quantity.compare(asked[name], "0") > 0
    )
    if passed:
        texts = [
            ",".join(f"{name}={quantity.canonical(amounts.get(name, '0'))}" for name in passed)
            for amounts in (asked, before, hard)
        ]
        name = quota["metadata"]["name"]
        text = f"exceeded quota: {name}, requested: {texts[0]}, used: {texts[1]}, limited: {texts[2]}"
        request.note("ResourceQuota", f"{request.key.namespace}/{name}", "denies", text)
        raise request.forbidden(text)
    request.note("ResourceQuota", f"{request.key.namespace}/{quota['metadata']['name']}", "allows")


def charge(request: Request) -> list[tuple[Key, Object]]:
    """After `check`: the quotas whose use this write changes, each with its new whole status."""
    found = request.view.list("resourcequotas", request.key.namespace) if request.key.namespace else []
    if not found or request.dry_run or request.object is None:
        return []
    delta = _delta(request)
    changed = []
    for quota in found:
        hard = quotas.hard(quota)
        asked = {name: value for name, value in delta.items() if name in hard and quantity.compare(value, "0")}
        if asked and quotas.counts(quota, request.key.resource, request.object):
            before = quotas.used(request.view, quota)
            after = {**before, **{name: quantity.add(before.get(name, "0"), value) for name, value in asked.items()}}
            status = {"hard": hard, "used": dict(sorted(after.items()))}
            changed.append((Key("resourcequotas", request.key.namespace, quota["metadata"]["name"]), status))
    return changed


def _delta(request: Request) -> quotas.Amounts:
    assert request.object is not None
    now = quotas.usage(request.key.resource, request.object)
    if request.old is None:
        return now
    before = quotas.usage(request.key.resource, request.old)
    return {name: quantity.subtract(now.get(name, "0"), before.get(name, "0")) for name in {**before, **now}}


def _unspecified(pod: Object, hard: quotas.Amounts) -> str:
    """'limits.memory for: c': what a quota on cpu or memory demands that each container states; '' if all do."""
    demanded = sorted(_ENFORCED & hard.keys())
    missing: dict[str, list[str]] = {}
    for field in ("containers", "initContainers"):
        for container in pod["spec"].get(field) or ():
            needs = container.get("resources") or {}
            for name in demanded:
                side, _, bare = name.rpartition(".")
                if bare not in (needs.get(side or "requests") or {}):
                    missing.setdefault(name, []).append(container["name"])
    return "; ".join(f"{name} for: {','.join(sorted(found))}" for name, found in sorted(missing.items()))
