"""Every recording that watched controllers at work, with what was done from outside and when.

`RECORDINGS` gives them by name: a trace, or a file and the title of a case in it. Seconds count from the recording's own
start; a deed comes just before the first write that shows it.
"""

from __future__ import annotations

import json
from calendar import timegm
from time import strptime
from typing import TYPE_CHECKING, Any

from minikube_py.apiserver import eviction
from minikube_py.apiserver.origin import ADMIN
from tests.traces.machine import load
from tests.traces.playback import Recording
from tests.traces.shapes import Row, rows_of
from tests.traces.test_commands import daemon_set, stateful_set, with_claims
from tests.traces.test_deployments import deployment, rolling
from tests.traces.test_statefulsets import DEEDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.traces.playback import Playback

Object = dict[str, Any]
FIVE = tuple(f"fake-{number:03}" for number in range(5))
DELETE_SET = "kubectl -n t-h delete sts/{} --wait=false"


def _second(text: str) -> int:
    return timegm(strptime(text, "%Y-%m-%dT%H:%M:%S"))


# -- Deployments -------------------------------------------------------------------------------------------------------

_SET_IMAGE = "kubectl -n {} set image deployment/{} nginx={}"


def _rolled(name: str, replicas: int, strategy: Object, at: float = 0.1) -> Recording:
    deed = _SET_IMAGE.format("t", "web", "nginx:1.28")
    return Recording("t", rows_of(load(name)["rows"]), ((at, deed),), (deployment("t", replicas, **strategy),))


def _undone() -> Recording:
    first, kubectl = deployment("t-d", 3), "kubectl -n t-d "
    first["metadata"]["annotations"] = {"kubernetes.io/change-cause": "initial 1.27"}
    note = kubectl + "annotate deployment/web kubernetes.io/change-cause='image to {}' --overwrite"
    before: list[Any] = [first]
    for version in ("1.28", "1.29"):
        before += [_SET_IMAGE.format("t-d", "web", f"nginx:{version}"), note.format(version)]
    deeds = (
        (0.15, kubectl + "rollout undo deployment/web"),
        (3.2, kubectl + "rollout undo deployment/web --to-revision=1"),
        (6.93, kubectl + "rollout restart deployment/web"),
    )
    return Recording("t-d", rows_of(load("d_4e_undo_history")["rows"]), deeds, tuple(before))


def _paused() -> Recording:
    kubectl = "kubectl -n t-f "
    deeds = (
        (0.09, kubectl + "rollout pause deployment/web"),
        (1.31, _SET_IMAGE.format("t-f", "web", "nginx:1.28")),
        (6.66, kubectl + "scale deployment/web --replicas=6"),
        (9.0, kubectl + "rollout resume deployment/web"),
        (12.36, deployment("t-f", 10, name="prop", **rolling(3, 2))),
        (14.16, _SET_IMAGE.format("t-f", "prop", "does-not-exist:1")),
        (17.26, kubectl + "scale deployment/prop --replicas=15"),
        (20.35, kubectl + "scale deployment/prop --replicas=5"),
    )
    return Recording("t-f", rows_of(load("f_pause_resume")["rows"]), deeds, (deployment("t-f", 4),))


def _too_late() -> Recording:
    data = load("g_deadline")
    deeds = (
        (0.29, deployment("t-g", 4, "nginx:1.28", progressDeadlineSeconds=10)),
        (15.75, "kubectl -n t-g rollout undo deployment/web"),
        (18.85, _SET_IMAGE.format("t-g", "web", "does-not-exist:1")),
    )
    deeds[0][1]["spec"]["template"]["metadata"]["annotations"] = {"oracle/ready": "never"}
    before = (deployment("t-g", 4, progressDeadlineSeconds=10),)
    return Recording("t-g", rows_of(data["rows"]), deeds, before, offset_s=0.2)


DEPLOYMENTS: dict[str, Callable[[], Recording]] = {
    "a_deployment_create": lambda: Recording(
        "t", rows_of(load("a_deployment_create")["rows"]), ((0.1, deployment("t", 3)),)
    ),
    "b_roll_25_25": lambda: _rolled("b_roll_25_25", 10, rolling("25%", "25%")),
    "b_roll_25_25_slow2s": lambda: _rolled("b_roll_25_25_slow2s", 10, rolling("25%", "25%")),
    "c_roll_1_0": lambda: _rolled("c_roll_1_0", 10, rolling(1, 0)),
    "c_roll_0_1": lambda: _rolled("c_roll_0_1", 10, rolling(0, 1)),
    "c_roll_100_0": lambda: _rolled("c_roll_100_0", 10, rolling("100%", 0)),
    "c_roll_3_2": lambda: _rolled("c_roll_3_2", 7, rolling(3, 2)),
    "c_recreate": lambda: _rolled("c_recreate", 3, {"strategy": {"type": "Recreate"}}, 0.05),
    "d_4e_undo_history": _undone,
    "f_pause_resume": _paused,
    "g_deadline": _too_late,
}  # fmt: skip


# -- StatefulSets ------------------------------------------------------------------------------------------------------


def _h() -> Recording:
    at = (0.1, 2.51, 6.18, 9.96, 11.85, 15.2, 16.62, 19.3, 20.5)
    deeds = (*zip(at, DEEDS, strict=True), (23.0, DELETE_SET.format("db")), (23.15, DELETE_SET.format("par")))
    return Recording("t-h", rows_of(load("h_statefulset")["rows"]), deeds)


def _case(file: str, title: str, number: int = 0) -> Object:
    """A case of a recording; several may have the same title."""
    found = [step for step in load(file)["steps"] if step.get("case") == title and step.get("rows")]
    return found[number]  # type: ignore[no-any-return]


def _of_case(
    file: str, namespace: str, title: str, before: tuple[Any, ...], *deeds: Any, number: int = 0
) -> Callable[[], Recording]:
    """A deed without a second comes just before the first row."""

    def made() -> Recording:
        rows = rows_of(_case(file, title, number)["rows"])
        timed = tuple(deed if isinstance(deed, tuple) else (rows[0].t - 0.01, deed) for deed in deeds)
        return Recording(namespace, rows, timed, before, FIVE, misc=True)

    return made


def _given(file: str, title: str) -> Object:
    return {"apiVersion": "apps/v1", **_case(file, title)["given"]}


def _sets() -> dict[str, Callable[[], Recording]]:
    kubectl = "kubectl -n x-sts "
    part, par = _given("statefulsets", "create 5, OrderedReady"), _given("statefulsets", "Parallel create 4")
    numbered = _given("statefulsets", "ordinals.start 5, 3 replicas")

    def image(name: str, text: str = "nginx:1.28") -> str:
        return kubectl + f"set image sts/{name} c={text}"

    def partition(number: int) -> str:
        update = {"rollingUpdate": {"partition": number}}
        return kubectl + f"patch sts part -p '{json.dumps({'spec': {'updateStrategy': update}})}'"

    def of(title: str, before: tuple[Any, ...], *deeds: Any) -> None:
        found[f"statefulsets: {title}"] = _of_case("statefulsets", "x-sts", title, before, *deeds)

    found: dict[str, Callable[[], Recording]] = {"h_statefulset": _h}
    of("create 5, OrderedReady", (), part)
    of("partition 3: image update", (part,), image("part"))
    of("partition 3 -> 1", (part, image("part")), partition(1))
    of("partition 1 -> 0", (part, image("part"), partition(1)), partition(0))
    of("Parallel create 4", (), par)
    seven, two = kubectl + "scale sts/par --replicas=7", kubectl + "scale sts/par --replicas=2"
    of("Parallel 4 -> 7", (par,), seven)
    of("Parallel 7 -> 2", (par, seven), two)
    of("Parallel image update", (par, seven, two), image("par"))
    of("ordinals.start 5, 3 replicas", (), numbered)
    start = kubectl + """patch sts ord -p '{"spec":{"ordinals":{"start":4}}}'"""
    of("ordinals.start 5 -> 4", (numbered,), start)
    of("scale to 1", (numbered, start), kubectl + "scale sts/ord --replicas=1")
    several = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    muv = stateful_set("muv", 5, updateStrategy=several)
    of("maxUnavailable 2 (OrderedReady) image update", (muv,), image("muv"))
    by_hand = stateful_set("odl", 2, ready_s=0, updateStrategy={"type": "OnDelete"})
    of("OnDelete: odl-0 deleted by hand", (by_hand, image("odl")), kubectl + "delete pod odl-0 --wait=false")
    broken, undo = image("brk", "does-not-exist:1"), (5.5, kubectl + "rollout undo sts/brk")
    of("broken image then undo", (stateful_set("brk", 3, ready_s=0),), broken, undo)
    found["statefulsets: first pod never ready, scale to 0"] = _never_ready
    return {**found, **_claims()}


def _never_ready() -> Recording:
    rows = rows_of(_case("statefulsets", "first pod never ready, scale to 0")["rows"])
    scale = "kubectl -n x-sts scale sts/nr --replicas=0"
    made = stateful_set("nr", 3, ready_s=0)
    return Recording("x-sts", rows, ((0.42, scale),), (made,), FIVE, misc=True, ready=False)


def _volumes(playback: Playback) -> None:
    for number in range(24):
        spec = {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "x-sts",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": f"/x-sts/{number}"},
        }  # fmt: skip
        meta = {"name": f"x-sts-{number:02}"}
        playback.cluster.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec})


def _claims() -> dict[str, Callable[[], Recording]]:
    """What becomes of the claims when a StatefulSet is scaled and deleted, for each retention policy."""
    found = {}
    policies = (("Retain", "Retain"), ("Delete", "Retain"), ("Retain", "Delete"), ("Delete", "Delete"))
    for number, (deleted, scaled) in enumerate(policies):
        name = f"pv-{deleted[0]}{scaled[0]}".lower()
        made, kubectl = with_claims(name, deleted, scaled), "kubectl -n x-sts "
        less, gone = kubectl + f"scale sts/{name} --replicas=1", kubectl + f"delete sts {name} --wait=false"
        for title, before, deed, which in (
            (f"whenDeleted {deleted} whenScaled {scaled}: create", (_volumes,), made, 0),
            ("scale 3 -> 1", (_volumes, made), less, number),
            ("delete", (_volumes, made, less), gone, number),
        ):
            key = f"statefulsets: {name} {title}"
            found[key] = _of_case("statefulsets", "x-sts", title, before, deed, number=which)
    return found


# -- DaemonSets --------------------------------------------------------------------------------------------------------


def _daemons() -> dict[str, Callable[[], Recording]]:
    kubectl, found = "kubectl -n x-ds ", {}

    def of(title: str, before: tuple[Any, ...], *deeds: Any) -> None:
        found[f"daemonsets: {title}"] = _of_case("daemonsets", "x-ds", title, before, *deeds)

    for name in ("mu1", "mu2", "mu25", "surge1", "surge2", "surge40"):
        made = _given("daemonsets", f"{name} create")
        of(f"{name} create", (), made)
        of(f"{name} image update", (made,), kubectl + f"set image ds/{name} c=nginx:1.28")
    stuck = daemon_set("stuck", type="RollingUpdate", rollingUpdate={"maxUnavailable": 1})
    broken, undo = kubectl + "set image ds/stuck c=does-not-exist:1", (6.88, kubectl + "rollout undo ds/stuck")
    of("bad image: stops after maxUnavailable pods; undo", (stuck,), broken, undo)
    by_hand = (daemon_set("ondel", type="OnDelete"), kubectl + "set image ds/ondel c=nginx:1.28")
    of("OnDelete: one pod deleted by hand", by_hand, kubectl + "delete pod ondel-kk6nl --wait=false")
    deeds = []
    for action in _case("daemonsets", "cordon, taints, labels")["actions"]:
        words = action["cmd"].replace("kubectl ", kubectl)
        deeds.append((action["t"] + 0.05, words + " --wait=false" * ("delete pod" in words)))
    of("cordon, taints, labels", (daemon_set("node", type="RollingUpdate"),), *deeds)
    return found


# -- Jobs and CronJobs -------------------------------------------------------------------------------------------------


def _i() -> Recording:
    data = load("i_job_cronjob")

    def made(name: str) -> Object:
        return json.loads(data[name]["stdin"])  # type: ignore[no-any-return]

    deeds = (
        (0.1, made("apply")),
        (11.86, made("apply_suspended")),
        (13.52, """kubectl -n t-i patch job susp -p '{"spec":{"suspend":false}}'"""),
        (20.65, made("apply_idx")),
        (24.2, made("apply_ttl")),
        (27.83, made("apply_fail")),
        (63.2, made("apply_deadline")),
        (67.49, made("apply_cron")),
        (112.99, "kubectl -n t-i create job manual --from=cronjob/tick"),
    )
    start_s = _second("2026-11-24T22:27:11")
    return Recording("t-i", rows_of(data["rows"]), deeds, start_s=start_s, offset_s=0.735)


_MINUTE = _second("2026-11-24T22:45:00")  # in which the CronJobs were created
_FORBID = "kubectl -n x-cron-forbid "
CRON_DEEDS: dict[str, tuple[tuple[float, str], ...]] = {
    "allow": (),
    "forbid": (
        (101.41, _FORBID + "create job manual --from=cronjob/cj"),
        (161.01, _FORBID + "delete job cj-29926006 --wait=false"),
        (161.05, _FORBID + "delete job manual --wait=false"),
    ),
    "replace": (),
    "susp": ((99.77, """kubectl -n x-cron-susp patch cj cj --type=merge -p '{"spec":{"suspend":false}}'"""),),
    "hist": (),
}  # fmt: skip


def _trace(file: str, title: str) -> list[Object]:
    return next(step["rows"] for step in load(file)["steps"] if step.get("trace") == title)


def _cron(name: str) -> Callable[[], Recording]:
    def made() -> Recording:
        rows = rows_of(_trace("cronjobs", name))
        spec: Object = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": _idle("busybox")}}}}
        rest: dict[str, Object] = {
            "forbid": {"concurrencyPolicy": "Forbid"}, "replace": {"concurrencyPolicy": "Replace"},
            "susp": {"suspend": True}, "hist": {"successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 0},
        }  # fmt: skip
        spec |= rest.get(name, {})
        meta = {"name": "cj", "namespace": f"x-cron-{name}"}
        cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec}
        first = next(row.t for row in rows if row.kind == "jobs" and row.event == "ADDED")
        into_s = 29.55 - rows[0].t if name == "susp" else 60.04 - first  # the Job came 40 ms after the full minute
        deeds = ((rows[0].t - 0.01, cron), *CRON_DEEDS[name])
        start_s, offset_s = _MINUTE + int(into_s), into_s % 1
        return Recording(meta["namespace"], rows, deeds, start_s=start_s, offset_s=offset_s, misc=True)

    return made


def _idle(image: str) -> Object:
    return {"schedulerName": "none", "restartPolicy": "Never", "containers": [{"name": "c", "image": image}]}


# -- deletion ----------------------------------------------------------------------------------------------------------


def _pair(namespace: str, scheduler: str = "default-scheduler") -> Object:
    container = {"name": "c", "image": "nginx"}
    pod = {"schedulerName": scheduler, "terminationGracePeriodSeconds": 1, "containers": [container]}
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}  # fmt: skip
    meta = {"name": "d", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def _deleted(
    file: str, namespace: str, titles: tuple[str, ...], before: tuple[Any, ...], deed: Any
) -> Callable[[], Recording]:
    def made() -> Recording:
        rows = sorted((row for title in titles for row in rows_of(_trace(file, title))), key=lambda row: row.t)
        return Recording(namespace, rows, ((rows[0].t - 0.01, deed),), before, FIVE, misc=True)

    return made


def _deletions() -> dict[str, Callable[[], Recording]]:
    found = {}
    for cascade in ("background", "foreground", "orphan"):
        for file, short, scheduler in (
            ("garbage_collection", "gc", "none"),
            ("garbage_collection_running", "gr", "default-scheduler"),
        ):
            namespace = f"x-{short}-{cascade}"
            deed = f"kubectl -n {namespace} delete deploy d --cascade={cascade} --wait=false"
            before = (_pair(namespace, scheduler),)
            found[f"{file}: {cascade}"] = _deleted(file, namespace, (cascade,), before, deed)
    running, job = (
        "garbage_collection_running",
        {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
    )
    template = {"template": {"spec": {**job, "terminationGracePeriodSeconds": 1}}}
    meta = {"name": "j", "namespace": "x-gr-job"}
    title = "running Job deleted by kubectl (background): job tracking finalizer on the pod"
    found[f"{running}: running Job"] = _deleted(
        running, "x-gr-job", (title,),
        ({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template},),
        "kubectl -n x-gr-job delete job j --wait=false",
    )  # fmt: skip
    service = {"selector": {"a": "b"}, "ports": [{"port": 80}]}
    filled = (
        _pair("x-gr-ns"),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "x-gr-ns"}, "spec": service},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "x-gr-ns"}},
    )
    found[f"{running}: namespace"] = _deleted(
        running, "x-gr-ns", ("namespace with running pods", "namespace conditions"), filled,
        "kubectl delete ns x-gr-ns --wait=false",
    )  # fmt: skip
    found["namespace_deletion"] = _held
    return found


def _held() -> Recording:
    """A namespace with a pod and a ConfigMap that finalizers hold."""
    namespace, hold = "x-del", ["example.com/hold"]

    def held(kind: str, name: str, **rest: Any) -> Object:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace, **rest}}

    pod = {"spec": {"schedulerName": "none", "containers": [{"name": "c", "image": "nginx"}]}}
    before = (
        _pair(namespace, "none"),
        {**held("Pod", "p"), **pod},
        {**held("Pod", "heldpod", finalizers=hold), **pod},
        held("ConfigMap", "a"),
        held("ConfigMap", "held", finalizers=hold),
        held("Secret", "s"),
        {**held("Service", "s"), "spec": {"ports": [{"port": 80}]}},
    )
    objects, conditions = rows_of(_trace("namespace_deletion", "objects")), _trace("namespace_deletion", "namespace")
    rows = sorted([*objects, *(row._replace(t=row.t + 0.25) for row in rows_of(conditions))], key=lambda row: row.t)
    free = 'kubectl -n x-del patch {} {} --type=merge -p \'{{"metadata":{{"finalizers":null}}}}\''
    deeds = (
        (rows[0].t - 0.01, "kubectl delete ns x-del --wait=false"),
        (7.12, free.format("pod", "heldpod")),
        (16.6, free.format("cm", "held")),
    )
    return Recording(namespace, rows, deeds, before, FIVE, misc=True)


# -- Services and budgets ----------------------------------------------------------------------------------------------


def _l() -> Recording:
    data, namespace, kubectl = load("l_service"), "t-l", "kubectl -n t-l scale deployment/web --replicas="
    late = deployment(namespace, 2)
    late["spec"]["template"]["metadata"]["annotations"] = {"oracle/ready-after": "3s"}

    def service(name: str, **spec: Any) -> Object:
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}

    deeds = (
        (0.11, deployment(namespace, 3)),
        (0.285, json.loads(data["apply"]["stdin"])),
        (0.445, json.loads(data["apply_np"]["stdin"])),
        (0.63, json.loads(data["apply_lb"]["stdin"])),
        (0.77, json.loads(data["apply_hl"]["stdin"])),
        (1.61, service("nosel", ports=[{"port": 80}])),
        (1.765, service("ext", type="ExternalName", externalName="example.com")),
        (3.54, _doomed("web-cc544bdcc-nmsmz", "web-cc544bdcc-psnsm")),
        (3.55, kubectl + "1"),
        (5.64, kubectl + "0"),
        (7.9, late),
    )
    return Recording(namespace, rows_of(data["rows"]), deeds)


def _doomed(*names: str) -> Callable[[Playback], None]:
    """Of pods that are alike chance takes these."""

    def mark(playback: Playback) -> None:
        note = {"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-1"}}}
        for name in names:
            playback.cluster.patch("pods", playback.pairs[name], playback.recording.namespace, note)

    return mark


def _m() -> Recording:
    """An eviction is three writes; the disruption controller came in between."""
    data, namespace = load("m_pdb_eviction"), "t-m"

    def charge(name: str) -> Callable[[Playback], None]:
        def deed(playback: Playback) -> None:
            cluster = playback.cluster
            pod = cluster.get("pods", playback.pairs[name], namespace)
            budget = cluster.get("poddisruptionbudgets", "web", namespace)
            with cluster.transaction():
                eviction.charge(cluster.server, pod, budget, ADMIN, False)

        return deed

    def delete(name: str) -> Callable[[Playback], None]:
        return lambda playback: playback.cluster.delete("pods", playback.pairs[name], namespace)  # type: ignore[return-value]

    first, second = "web-cc544bdcc-bg2n2", "web-cc544bdcc-8mkqr"
    deeds = (
        (0.09, data["create"]["cmd"]),
        (12.5, data["patch"]["cmd"]),
        (13.63, charge(first)),
        (13.643, delete(first)),
        (14.2, charge(second)),
        (14.2185, delete(second)),
    )
    return Recording(namespace, rows_of(data["rows"]), deeds, (deployment(namespace, 3),))


RECORDINGS: dict[str, Callable[[], Recording]] = {
    **DEPLOYMENTS,
    **_sets(),
    **_daemons(),
    "i_job_cronjob": _i,
    **{f"cronjobs: {name}": _cron(name) for name in CRON_DEEDS},
    **_deletions(),
    "l_service": _l,
    "m_pdb_eviction": _m,
}
__all__ = ["RECORDINGS", "Row"]
