"""Objects of kind Traffic: many requests, and what came of them.

    apiVersion: sim.kpy.dev/v1alpha1
    kind: Traffic
    metadata: {name: visitors}
    spec:
      target: {url: "http://shop.example.com/"}   # or {service: {name, port, path}}, {ingress: {host, path}},
                                                  #    {nodePort: {node, port, path}}
      from: outside                 # or {podSelector: {matchLabels: {app: front}}}; a Service is asked from some pod unless given
      rate: 100                     # requests a second: see `rates.py`
      duration: 10m                 # without it: until it is stopped
      timeout: 10s
      retries: 0
      keepAlive: false              # open connections stay at a pod that leaves, until it closes them
      paused: false

Between two changes nothing is simulated: what holds (the *picture*: shares of the requests with what becomes of them) is
remembered, and the rate is integrated when it changes. kube-proxy hears of endpoints `PROPAGATION_S` after they changed,
so that a pod which closes its port at once is still sent its share for a second; one that waits in preStop is not.

`step` runs on traffics and is woken by: itself; EndpointSlices, Services, pods with an address (deletion, container states),
NetworkPolicies, Ingresses, Gateways, HTTPRoutes, Programs, Faults, and nodes that become ready or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.simulator import time_s
from minikube_py.api.types import Key, Patch, Remember, Wake
from minikube_py.base import clock as time
from minikube_py.base import patch, selector
from minikube_py.network import places, rates, routes, tally
from minikube_py.network.services import Endpoint

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.network.places import Place
    from minikube_py.network.requests import Request
    from minikube_py.network.routes import Route

NAME, RESOURCE = "traffic", "traffics.sim.kpy.dev"
PROPAGATION_S = 1  # from a change of endpoints to the rules of kube-proxy
SOURCES_MAX = 16  # pods that requests come from: with more, evenly chosen ones stand for all
TIMEOUT_S = 10


def step(traffic: Object, view: View, clock: Clock) -> Actions:
    key = Key(RESOURCE, traffic["metadata"]["namespace"], traffic["metadata"]["name"])
    memory = view.memory(NAME, key)
    status = current(traffic, view, clock)
    new = _next(traffic, memory, view, clock)
    spec_changed = memory.get("spec") != new["spec"]
    if new != {**memory, "since": new["since"]} or spec_changed:
        yield Remember(new)
        fields = patch.diff(traffic.get("status") or {}, status | {"phase": _phase(new)})
        if fields:
            yield Patch(key, {"status": fields}, "status")
    wake = _wake(new, clock)
    if wake is not None:
        yield wake


def current(traffic: Object, view: View, clock: Clock) -> Object:
    """The status as of now: what is stored, and what has come since by the picture that was remembered."""
    key = Key(RESOURCE, traffic["metadata"]["namespace"], traffic["metadata"]["name"])
    memory, old = view.memory(NAME, key), traffic.get("status") or {}
    if not memory:
        return old or tally.fresh(traffic["metadata"].get("generation", 1), clock.now_s)
    return tally.advance(old, memory, traffic["metadata"].get("generation", 1), clock.now_s)


def _next(traffic: Object, memory: Object, view: View, clock: Clock) -> Object:
    """What holds from now on: the tables of kube-proxy, those that come, and what becomes of requests."""
    spec, now = traffic["spec"], clock.now_s
    started = memory.get("started") or time.seconds(traffic["metadata"]["creationTimestamp"])
    same_rate = memory.get("spec", {}).get("rate") == spec["rate"]
    origin = memory["origin"] if same_rate and memory else now if memory else started
    ends = started + time_s(spec["duration"]) if "duration" in spec else 0
    base = {"spec": spec, "started": started, "origin": origin, "ends": ends, "since": now}
    if spec.get("paused") or (ends and now >= ends):
        return {**base, "picture": [], "table": None, "pending": None, "until": 0}
    asked = _request(traffic)
    wanted = _table(traffic, asked, view, clock)
    table, pending = memory.get("table"), memory.get("pending")
    if table is None or memory.get("spec", {}).get("target") != spec["target"]:
        table, pending = wanted, None
    if pending is not None and now >= pending["at"]:
        table, pending = _with_open(pending["table"], table, spec), None
    newest = pending["table"] if pending is not None else _without_open(table)
    if wanted != newest:
        pending = {"at": now + PROPAGATION_S, "table": wanted}
    picture, until = _picture(table, asked, spec, view, clock)
    return {**base, "picture": picture, "table": table, "pending": pending, "until": until}


def _phase(memory: Object) -> str:
    if memory["spec"].get("paused"):
        return "Paused"
    return "Ended" if memory["ends"] and memory["since"] >= memory["ends"] else "Running"


def _wake(memory: Object, clock: Clock) -> Wake | None:
    """The propagation is waited for; all else happens when somebody lets time pass."""
    now = clock.now_s
    if memory["pending"] is not None:
        return Wake(memory["pending"]["at"])
    if _phase(memory) != "Running":
        return None
    due = [at for at in (memory["until"], memory["ends"]) if at > now]
    return Wake(min(due), background=True) if due else None


def _request(traffic: Object) -> Request:
    return routes.parse(rates.url_of(traffic["spec"]["target"], traffic["metadata"]["namespace"]))


def _sources(traffic: Object, view: View) -> list[Place]:
    """Where requests come from: outside, the running pods that a selector finds, or for a Service just any pod."""
    spec, namespace = traffic["spec"], traffic["metadata"]["namespace"]
    given: Any = spec.get("from") or ("inside" if "service" in spec["target"] else "outside")
    if given == "outside":
        return [places.OUTSIDE]
    if given == "inside":
        return [_anybody(namespace)]
    chosen = selector.from_label_selector(given["podSelector"])
    found = [
        places.of_pod(pod)
        for pod in view.list("pods", namespace)
        if chosen.matches(pod["metadata"].get("labels") or {})
        and (pod.get("status") or {}).get("phase") == "Running"
        and "deletionTimestamp" not in pod["metadata"]
    ]
    found = [one for one in found if not places.is_down(one.node, view)]
    if len(found) > SOURCES_MAX:
        found = [found[index * len(found) // SOURCES_MAX] for index in range(SOURCES_MAX)]
    return found


def _anybody(namespace: str) -> Place:
    """Some pod of a namespace, with nothing special about it."""
    pod = {"metadata": {"namespace": namespace, "name": "client"}, "spec": {"containers": []}}
    return places.Place("10.244.0.4", pod, "", namespace, (), f"inside {namespace}", "fd00:10:244::4")


def _table(traffic: Object, asked: Request, view: View, clock: Clock) -> list[Object]:
    """Where requests are sent by what the cluster knows now: for each source its endpoints, or how it ends before."""
    sources = _sources(traffic, view)
    found = []
    for source in sources:
        route = routes.plan(view, clock, source, _by_address(asked, view))
        found.append(_entry(source, 1 / len(sources), route, view))
    return found


def _by_address(asked: Request, view: View) -> Request:
    """A node's name in a node port's URL is its address."""
    node = view.get(Key("nodes", "", asked.host))
    return asked if node is None else asked._replace(host=places.node_address(node))


def _entry(source: Place, share: float, route: Route, view: View) -> Object:
    entry: Object = {"source": source.title, "share": share, "proxied": route.proxied, "retried": route.retried}
    if route.outcome is not None:
        return {**entry, "outcome": [route.outcome.status, route.outcome.cause], "endpoints": []}
    chosen = route.candidates
    return {
        **entry,
        "outcome": None,
        "endpoints": [[one.share, *one.endpoint[:5], one.source.title] for one in chosen],
    }


def _with_open(new: list[Object], old: list[Object], spec: Object) -> list[Object]:
    """With keep-alive, the connections to endpoints that left the table stay open; they are marked by an eighth column."""
    if not spec.get("keepAlive"):
        return new
    before = {entry["source"]: entry for entry in old}
    found = []
    for entry in new:
        known = {tuple(one[1:3]) for one in entry["endpoints"]}
        was = before.get(entry["source"], {}).get("endpoints") or ()
        left = [[*one[:7], True] for one in was if tuple(one[1:3]) not in known]
        found.append({**entry, "endpoints": [*entry["endpoints"], *left]} if left and entry["endpoints"] else entry)
    return found


def _without_open(table: list[Object]) -> list[Object]:
    return [{**entry, "endpoints": [one for one in entry["endpoints"] if len(one) < 8]} for entry in table]


def _picture(table: list[Object], asked: Request, spec: Object, view: View, clock: Clock) -> tuple[list[Object], int]:
    """(groups of requests with one fate, when one of them may change by itself)."""
    groups: list[list[Any]] = []
    until = 0
    limit_s = time_s(spec.get("timeout", TIMEOUT_S))
    for entry in table:
        if entry["outcome"] is not None:
            groups.append([entry["share"], *entry["outcome"], "", "", 0.0, 0])
            continue
        found = []
        for share, *where, seen in (one[:7] for one in entry["endpoints"]):
            place = _seen(seen, view)
            endpoint = Endpoint(*where)
            outcome = routes.arrive(view, clock, routes.Candidate(share, endpoint, place), asked, limit_s=limit_s)
            found.append((routes.Candidate(share, endpoint, place), outcome))
            if outcome.until > clock.now_s:
                until = min(until or outcome.until, outcome.until)
        is_open = [len(one) == 8 for one in entry["endpoints"]]
        found = [one for one, open_ in zip(found, is_open, strict=True) if not open_ or one[1].status]
        route = routes.Route((), proxied=entry["proxied"], retried=entry["retried"])
        total = sum(one.share for one, _ in found) or 1
        for share, _, outcome in routes.settle(found, route):
            row = [outcome.status, outcome.cause, outcome.pod, outcome.version, outcome.latency_s, outcome.per_second]
            groups.append([share / total * entry["share"], *row])
    return [_group(one) for one in _retried(groups, int(spec.get("retries", 0)))], until


def _group(row: list[Any]) -> Object:
    return dict(zip(("share", "status", "cause", "pod", "version", "latency", "capacity"), row, strict=True))


def _retried(groups: list[list[Any]], retries: int) -> list[list[Any]]:
    """Clients that try again: with a share f of failures and r retries, f ** (r + 1) fail for good."""
    failed = sum(one[0] for one in groups if one[2])
    if not retries or not 0 < failed < 1:
        return groups
    worse, better = failed**retries, (1 - failed ** (retries + 1)) / (1 - failed)
    return [[one[0] * (worse if one[2] else better), *one[1:]] for one in groups]


def _seen(title: str, view: View) -> Place:
    """The place behind a title in a table: who an endpoint sees as its client."""
    if title == "outside":
        return places.OUTSIDE
    if title == routes.PROXY.title:
        return routes.PROXY
    if title.startswith("node "):
        node = view.get(Key("nodes", "", title.removeprefix("node ")))
        return places.OUTSIDE if node is None else places.of_node(node)
    if title.startswith("inside "):
        return _anybody(title.removeprefix("inside "))
    namespace, slash, name = title.partition("/")
    pod = view.get(Key("pods", namespace, name)) if slash else None
    if pod is not None:
        return places.of_pod(pod)
    return places.Place("10.244.0.4", None, "", "", (), title)
