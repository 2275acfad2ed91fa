"""LimitRanger: default requests and limits of containers, and bounds for containers, pods and claims.

Source: plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

ANNOTATION = "kubernetes.io/limit-ranger"


def mutate(request: Request) -> Object:
    """The pod with the namespace's defaults filled into its containers, and a note of what was filled in."""
    obj = request.object
    assert obj is not None
    if request.key.resource != "pods" or request.verb != "CREATE":
        return obj
    ranges = request.view.list("limitranges", request.key.namespace)
    if not ranges:
        return obj
    for one in ranges:
        obj = _with_defaults(obj, one)
    return obj


def _with_defaults(pod: Object, limit_range: Object) -> Object:
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if limit.get("type") == "Container":
            limits.update(limit.get("default") or {})
            requests.update(limit.get("defaultRequest") or {})
    if not limits and not requests:
        return pod
    spec, notes = dict(pod["spec"]), list[str]()
    for field, label in (("containers", "container"), ("initContainers", "init container")):
        if spec.get(field):
            spec[field] = [_filled(one, requests, limits, label, notes) for one in spec[field]]
    if not notes:
        return pod
    meta = pod["metadata"]
    notes_map = {**(meta.get("annotations") or {}), ANNOTATION: "LimitRanger plugin set: " + "; ".join(notes)}
    return {**pod, "metadata": {**meta, "annotations": notes_map}, "spec": spec}


def _filled(container: Object, requests: Object, limits: Object, label: str, notes: list[str]) -> Object:
    needs = dict(container.get("resources") or {})
    before = len(notes)
    for field, word, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        missing = sorted(defaults.keys() - (needs.get(field) or {}).keys())
        if missing:
            filled = {**(needs.get(field) or {}), **{name: defaults[name] for name in missing}}
            needs[field] = dict(sorted(filled.items()))
            notes.append(f"{', '.join(missing)} {word} for {label} {container.get('name', '')}")
    return container if len(notes) == before else {**container, "resources": needs}


def check(request: Request) -> None:
    """Refuses what is outside the bounds of any LimitRange of the namespace."""
    ranges = request.view.list("limitranges", request.key.namespace)
    if not ranges or (request.key.resource == "pods" and request.verb != "CREATE"):
        return
    obj = request.object
    assert obj is not None
    for one in ranges:
        found: list[str] = []
        for limit in (one.get("spec") or {}).get("limits") or ():
            if request.key.resource == "pods":
                _check_pod(found, obj, limit)
            elif limit.get("type") == "PersistentVolumeClaim":
                _check_claim(found, obj, limit)
        rule = f"{request.key.namespace}/{one['metadata']['name']}"
        if found:
            text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            request.note("LimitRanger", rule, "denies", text)
            raise request.forbidden(text)
        request.note("LimitRanger", rule, "allows")


def _check_pod(found: list[str], pod: Object, limit: Object) -> None:
    spec = pod["spec"]
    kind = limit.get("type")
    if kind == "Container":
        for field in ("containers", "initContainers"):
            for container in spec.get(field) or ():
                needs = container.get("resources") or {}
                _bounds(found, kind, limit, needs.get("requests") or {}, needs.get("limits") or {})
    elif kind == "Pod":
        _bounds(found, kind, limit, _total(spec, "requests"), _total(spec, "limits"))


def _total(spec: Object, field: str) -> dict[str, str]:
    """Containers added up; where one init container needs more, that much."""
    total: dict[str, str] = {}
    for container in spec.get("containers") or ():
        for name, value in ((container.get("resources") or {}).get(field) or {}).items():
            total[name] = quantity.add(total[name], value) if name in total else value
    for container in spec.get("initContainers") or ():
        for name, value in ((container.get("resources") or {}).get(field) or {}).items():
            if name not in total or quantity.compare(value, total[name]) > 0:
                total[name] = value
    return total


def _bounds(found: list[str], kind: str, limit: Object, requests: Object, limits: Object) -> None:
    for name, bound in sorted((limit.get("min") or {}).items()):
        start = f"minimum {name} usage per {kind} is {quantity.canonical(bound)}"
        asked, most = requests.get(name), limits.get(name)
        if asked is None:
            found.append(f"{start}.  No request is specified")
        elif quantity.compare(asked, bound) < 0:
            found.append(f"{start}, but request is {quantity.canonical(asked)}")
        elif most is not None and quantity.compare(most, bound) < 0:
            found.append(f"{start}, but limit is {quantity.canonical(most)}")
    for name, bound in sorted((limit.get("max") or {}).items()):
        start = f"maximum {name} usage per {kind} is {quantity.canonical(bound)}"
        asked, most = requests.get(name), limits.get(name)
        if most is None:
            found.append(f"{start}.  No limit is specified")
        elif quantity.compare(most, bound) > 0:
            found.append(f"{start}, but limit is {quantity.canonical(most)}")
        elif asked is not None and quantity.compare(asked, bound) > 0:
            found.append(f"{start}, but request is {quantity.canonical(asked)}")
    for name, bound in sorted((limit.get("maxLimitRequestRatio") or {}).items()):
        start = f"{name} max limit to request ratio per {kind} is {quantity.canonical(bound)}"
        asked_m, most_m = quantity.milli(requests.get(name, "0")), quantity.milli(limits.get(name, "0"))
        if not asked_m:
            found.append(f"{start}, but no request is specified or request is 0")
        elif not most_m:
            found.append(f"{start}, but no limit is specified or limit is 0")
        elif most_m / asked_m > quantity.milli(bound) / 1000:
            found.append(f"{start}, but provided ratio is {most_m / asked_m:f}")


def _check_claim(found: list[str], claim: Object, limit: Object) -> None:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    for field, word, sign in (("min", "minimum", -1), ("max", "maximum", 1)):
        for name, bound in sorted((limit.get(field) or {}).items()):
            start = f"{word} {name} usage per PersistentVolumeClaim is {quantity.canonical(bound)}"
            asked = requests.get(name)
            if asked is None:
                found.append(f"{start}.  No request is specified")
            elif quantity.compare(asked, bound) * sign > 0:
                found.append(f"{start}, but request is {quantity.canonical(asked)}")
