"""`kubectl top pod` and `top node` (pkg/cmd/top, pkg/metricsutil), from what the metrics server saw at its last scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError, not_found

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]
Cells = list[str]
RESOURCES = ("cpu", "memory")
OLD_S = 120  # a pod of that age without metrics is no longer excused
SWAP_UNKNOWN = ["<unknown>", "<unknown>"]


def pod(call: Call) -> None:
    from minikube_py.autoscaling import metrics_api as metrics

    name = _one_name(call, "pod [NAME | -l label]")
    _authorize(call, "pods", "" if call.on("all-namespaces") else call.namespace)
    if name and (call.text("selector") or call.text("field-selector")):
        raise UsageError("only one of NAME or selector can be provided")
    from minikube_py.base import selector

    selector.parse(call.text("selector"))  # read here, as kubectl does, and not by the API server
    selector.fields(call.text("field-selector"))
    everywhere = call.on("all-namespaces")
    namespace = None if everywhere else call.namespace
    cluster = call.cluster
    if name:
        chosen = [cluster.get("pods", name, "" if everywhere else call.namespace)]
    else:
        chosen = cluster.list("pods", namespace, call.text("selector"), call.text("field-selector"))
    view, clock = cluster.server.view, cluster.clock
    found = [told for one in chosen if (told := metrics.pod_metrics(one, view, clock)) is not None]
    if not found:
        if name:
            raise not_found("podmetrics.metrics.k8s.io", f"{chosen[0]['metadata']['namespace']}/{name}")
        _explain_absence(call, chosen)
        return
    call.say(pod_table(call, found, everywhere))


def _authorize(call: Call, what: str, namespace: str) -> None:
    """Whether the user of --as may list metrics."""
    subject = call.cluster.subject
    if subject is not None:
        from minikube_py.apiserver import authorizer

        target = authorizer.Target("metrics.k8s.io", what, namespace)
        authorizer.require(call.cluster.view, subject, "list", target)


def _explain_absence(call: Call, chosen: list[Object]) -> None:
    from minikube_py.base.clock import seconds
    from minikube_py.base.duration import go

    for one in chosen:
        meta = one["metadata"]
        age_s = call.now_s - seconds(meta["creationTimestamp"])
        if age_s > OLD_S:
            raise UsageError(f"Metrics not available for pod {meta['namespace']}/{meta['name']}, age: {go(age_s)}")
    if chosen:
        raise UsageError("metrics not available yet")
    where = "" if call.on("all-namespaces") else f" in {call.namespace} namespace."
    call.complain(f"No resources found{where}")


def pod_table(call: Call, found: list[Object], everywhere: bool) -> str:
    """NAME, CPU(cores), MEMORY(bytes); POD in front with --containers, NAMESPACE with -A."""
    by_container, headers = call.on("containers"), not call.on("no-headers")
    front = ["NAMESPACE"] * everywhere + ["POD"] * by_container
    swap = call.on("show-swap")
    rows: list[Cells] = []
    if headers:
        rows.append([*front, "NAME", "CPU(cores)", "MEMORY(bytes)", *["SWAP(bytes)"] * swap])
    for one in _sorted(call, found, _pod_usage, everywhere):
        meta = one["metadata"]
        before = [meta["namespace"]] * everywhere
        if by_container:
            for container in _sorted(call, one["containers"], lambda container: _amounts(container["usage"]), False):
                usage = _cells(_amounts(container["usage"]), swap)
                rows.append([*before, meta["name"], container["name"], *usage])
        else:
            rows.append([*before, meta["name"], *_cells(_pod_usage(one), swap)])
    if call.on("sum"):
        width = 3 + swap + (len(front) if headers else 0)
        totals = [_pod_usage(one) for one in found]
        cells = _cells((sum(cpu for cpu, _ in totals), sum(memory for _, memory in totals)), swap)
        rows.append([*[""] * (width - 2), "________", "________"])
        rows.append([*[""] * (width - 3), "", *cells])
    return _aligned(rows)


def node(call: Call) -> None:
    from minikube_py.autoscaling import metrics_api as metrics

    name = _one_name(call, "node [NAME | -l label]")
    _authorize(call, "nodes", "")
    if name and call.text("selector"):
        raise UsageError("only one of NAME or --selector can be provided")
    cluster = call.cluster
    nodes = [cluster.get("nodes", name)] if name else cluster.list("nodes", None, call.text("selector"))
    view, clock = cluster.server.view, cluster.clock
    told = {one["metadata"]["name"]: metrics.node_metrics(one, view, clock) for one in nodes}
    found = [one for one in told.values() if one is not None]
    if not found:
        raise not_found("nodemetrics.metrics.k8s.io", name) if name else UsageError("metrics not available yet")
    swap, field = call.on("show-swap"), "capacity" if call.on("show-capacity") else "allocatable"
    available = {one["metadata"]["name"]: (one.get("status") or {}).get(field) or {} for one in nodes}
    rows: list[Cells] = []
    if not call.on("no-headers"):
        rows.append(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)", *["SWAP(bytes)", "SWAP(%)"] * swap])
    for one in _sorted(call, found, lambda one: _amounts(one["usage"]), False):
        own = one["metadata"]["name"]
        rows.append([own, *_node_cells(_amounts(one["usage"]), available[own]), *SWAP_UNKNOWN * swap])
    rows += [[own, *["<unknown>"] * (4 + 2 * swap)] for own, one in told.items() if one is None]
    call.say(_aligned(rows))


def _node_cells(used: tuple[int, int], available: Object) -> Cells:
    from minikube_py.base import quantity

    cells: Cells = []
    for resource, amount_m, text in zip(RESOURCES, (used[0], used[1] * 1000), _cells(used, False), strict=True):
        whole_m = quantity.milli(available.get(resource, "0"))
        cells += [text, f"{int(amount_m / whole_m * 100) if whole_m else 0}%"]
    return cells


def _one_name(call: Call, use: str) -> str:
    if call.text("sort-by") not in ("", *RESOURCES):
        raise UsageError("--sort-by accepts only cpu or memory")
    if len(call.args) > 1:
        raise call.usage(use)
    return call.args[0] if call.args else ""


def _pod_usage(told: Object) -> tuple[int, int]:
    amounts = [_amounts(container["usage"]) for container in told["containers"]]
    return sum(cpu for cpu, _ in amounts), sum(memory for _, memory in amounts)


def _amounts(usage: Object) -> tuple[int, int]:
    """(millicores, bytes)."""
    from minikube_py.base import quantity

    return quantity.milli(usage["cpu"]), quantity.value(usage["memory"])


def _cells(used: tuple[int, int], swap: bool) -> Cells:
    return [f"{used[0]}m", f"{used[1] >> 20}Mi", *["0Mi"] * swap]


def _sorted(call: Call, found: list[Object], usage: Any, everywhere: bool) -> list[Object]:
    by = call.text("sort-by")
    if by:
        return sorted(found, key=lambda one: -usage(one)[RESOURCES.index(by)])

    def name(one: Object) -> tuple[str, str]:
        meta = one.get("metadata") or one
        return (meta.get("namespace", "") if everywhere else "", meta["name"])

    return sorted(found, key=name)


def _aligned(rows: list[Cells]) -> str:
    from minikube_py.printers.tabwriter import align

    return align("".join("\t".join([*row, ""]) + "\n" for row in rows))
