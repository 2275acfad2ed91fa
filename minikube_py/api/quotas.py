"""ResourceQuotas read from objects: what an object uses, which quotas count it, what a namespace uses in all.

What is used is counted from the objects themselves: once when a quota is first asked for, then kept up to date by the
store's changes (`Usage`), so that a pod costs the same in a namespace of ten or of ten thousand. Admission checks against
it, the quota controller writes it into the status. Sources: pkg/quota/v1/evaluator/core/*.go, k8s.io/apiserver/pkg/quota/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import ALL_RESOURCES
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, View

# Core resources that may be counted by their plain name.
PLAIN = frozenset({"configmaps", "secrets", "services", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "pods"})  # fmt: skip
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"

Amounts = dict[str, str]


class Usage:
    """What the objects of a namespace add up to, for each quota that was asked about (a `types.Derived`).

    Worked example: a quota on pods and requests.cpu; two pods of 100m give {'pods': '2', 'requests.cpu': '200m'};
    when one finishes, its change subtracts what it used before and adds what it uses now, which is nothing.
    """

    resources = ALL_RESOURCES

    def __init__(self, view: View) -> None:
        self._totals: dict[str, dict[str, tuple[Object, Amounts]]] = {}  # namespace -> quota's name -> spec, totals

    def of(self, quota: Object, view: View) -> Amounts:
        meta = quota["metadata"]
        known = self._totals.setdefault(meta["namespace"], {})
        found = known.get(meta["name"])
        if found is None or found[0] != quota.get("spec"):
            found = known[meta["name"]] = (quota.get("spec") or {}, count(view, quota))
        return found[1]

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        known = self._totals.get(key.namespace)
        if not known:
            return
        if key.resource == "resourcequotas" and new is None:
            known.pop(key.name, None)
        for name, (spec, total) in known.items():
            quota = {"spec": spec}
            changed = dict(total)
            if old is not None and counts(quota, key.resource, old):
                _take(changed, usage(key.resource, old))
            if new is not None and counts(quota, key.resource, new):
                _give(changed, usage(key.resource, new))
            known[name] = (spec, changed)


def _give(total: Amounts, more: Amounts) -> None:
    for name in total.keys() & more.keys():
        total[name] = quantity.add(total[name], more[name])


def _take(total: Amounts, less: Amounts) -> None:
    for name in total.keys() & less.keys():
        total[name] = quantity.subtract(total[name], less[name])


def used(view: View, quota: Object) -> Amounts:
    """What is used of each resource of a quota now: the `status.used` that the quota controller writes."""
    usage_of: Usage = view.derived("quota-usage", Usage)
    return usage_of.of(quota, view)


def hard(quota: Object) -> Amounts:
    """What the quota allows."""
    return (quota.get("spec") or {}).get("hard") or {}


def count(view: View, quota: Object) -> Amounts:
    """What the objects of the namespace add up to, for each resource of the quota, by looking at all of them."""
    limits, namespace = hard(quota), quota["metadata"]["namespace"]
    total = dict.fromkeys(sorted(limits), "0")
    for resource in sorted({_resource_of(name) for name in limits}):
        for obj in view.list(resource, namespace):
            if counts(quota, resource, obj):
                for name, value in usage(resource, obj).items():
                    if name in total:
                        total[name] = quantity.add(total[name], value)
    return total


def _resource_of(name: str) -> str:
    """The resource whose objects a quota's entry counts: 'count/jobs.batch' counts jobs.batch, 'limits.cpu' pods."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in PLAIN:
        return name
    if name.startswith("services."):
        return "services"
    return "persistentvolumeclaims" if name == "requests.storage" or _CLASS_SUFFIX in name else "pods"


def usage(resource: str, obj: Object) -> Amounts:
    """What one object uses of everything that a quota may limit."""
    count: Amounts = {f"count/{resource}": "1"}
    if resource == "pods":
        return count if _is_over(obj) else {**count, **_pod_usage(obj["spec"])}
    if resource in PLAIN:
        count[resource] = "1"
    if resource == "services":
        _service_usage(obj.get("spec") or {}, count)
    elif resource == "persistentvolumeclaims":
        _claim_usage(obj, count)
    return count


def _is_over(pod: Object) -> bool:
    """Finished: it holds nothing but its place in count/pods."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _pod_usage(spec: Object) -> Amounts:
    found: Amounts = {"pods": "1"}
    for field in ("requests", "limits"):
        for name, value in _pod_total(spec, field).items():
            found[f"{field}.{name}"] = value
            if field == "requests" and (name in _COMPUTE or name.startswith("hugepages-")):
                found[name] = value
    return found


def _pod_total(spec: Object, field: str) -> Amounts:
    """Containers and sidecars added up, or the largest plain init container (with the sidecars before it); plus overhead."""
    total: Amounts = {}
    peak: Amounts = {}
    sidecars: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, (container.get("resources") or {}).get(field) or {})
    for container in spec.get("initContainers") or ():
        needs = (container.get("resources") or {}).get(field) or {}
        if container.get("restartPolicy") == "Always":
            _add(total, needs)
            _add(sidecars, needs)
            _most(peak, sidecars)
        else:
            here = dict(sidecars)
            _add(here, needs)
            _most(peak, here)
    _most(total, peak)
    own = (spec.get("resources") or {}).get(field) or {}
    total.update(own)
    for name, value in (spec.get("overhead") or {}).items():
        if field == "requests" or name in total:
            _add(total, {name: value})
    return total


def _add(total: Amounts, more: Amounts) -> None:
    for name, value in more.items():
        total[name] = quantity.add(total[name], value) if name in total else value


def _most(total: Amounts, other: Amounts) -> None:
    for name, value in other.items():
        if name not in total or quantity.compare(value, total[name]) > 0:
            total[name] = value


def _service_usage(spec: Object, count: Amounts) -> None:
    kind, ports = spec.get("type"), len(spec.get("ports") or ())
    if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False):
        count["services.nodeports"] = str(ports)
    if kind == "LoadBalancer":
        count["services.loadbalancers"] = "1"


def _claim_usage(claim: Object, count: Amounts) -> None:
    spec = claim.get("spec") or {}
    name = spec.get("storageClassName")
    if name is None:
        name = (claim["metadata"].get("annotations") or {}).get(_BETA_CLASS)
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is not None:
        count["requests.storage"] = asked
    if name:
        count[f"{name}{_CLASS_SUFFIX}persistentvolumeclaims"] = "1"
        if asked is not None:
            count[f"{name}{_CLASS_SUFFIX}requests.storage"] = asked


def counts(quota: Object, resource: str, obj: Object) -> bool:
    """Whether the quota limits such objects and, by its scopes, this one."""
    spec = quota.get("spec") or {}
    scopes = [(scope, "Exists", ()) for scope in spec.get("scopes") or ()]
    for one in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        scopes.append((one.get("scopeName", ""), one.get("operator", ""), one.get("values") or ()))
    return all(_in_scope(scope, operator, values, resource, obj) for scope, operator, values in scopes)


def _in_scope(scope: str, operator: str, values: list[str] | tuple[()], resource: str, obj: Object) -> bool:
    spec = obj.get("spec") or {}
    if scope == "VolumeAttributesClass":
        return resource == "persistentvolumeclaims" and _matches(
            spec.get("volumeAttributesClassName"), operator, values
        )
    if resource != "pods":
        return False
    if scope == "PriorityClass":
        return _matches(spec.get("priorityClassName"), operator, values)
    if scope in ("Terminating", "NotTerminating"):
        ends = spec.get("activeDeadlineSeconds") is not None
        return ends == (scope == "Terminating")
    if scope in ("BestEffort", "NotBestEffort"):
        return _is_best_effort(spec) == (scope == "BestEffort")
    return scope == "CrossNamespacePodAffinity" and _crosses_namespaces(spec.get("affinity") or {})


def _matches(value: str | None, operator: str, values: list[str] | tuple[()]) -> bool:
    if operator == "Exists":
        return bool(value)
    if operator == "DoesNotExist":
        return not value
    return (value in values) == (operator == "In") and (operator == "NotIn" or bool(value))


def _is_best_effort(spec: Object) -> bool:
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            needs = container.get("resources") or {}
            for amounts in (needs.get("requests") or {}, needs.get("limits") or {}):
                if any(name in amounts and quantity.compare(amounts[name], "0") > 0 for name in ("cpu", "memory")):
                    return False
    return True


def _crosses_namespaces(affinity: Object) -> bool:
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        weighted = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [one.get("podAffinityTerm") or {} for one in weighted]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False
