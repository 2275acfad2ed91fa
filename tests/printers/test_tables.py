"""Tables compared with what a real kubectl printed of a real API server's tables."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.columns import COLUMNS
from minikube_py.api.kinds import Kind, Registry
from minikube_py.base.clock import timestamp
from minikube_py.printers import tables

NOW = 1_790_000_000
REGISTRY = Registry()
Object = dict[str, Any]


def ago(seconds: int) -> str:
    return timestamp(NOW - seconds)


def made(name: str, age: int, *, namespace: str = "default", labels: Object | None = None, **fields: Any) -> Object:
    metadata: Object = {"name": name, "namespace": namespace, "creationTimestamp": ago(age)}
    if labels:
        metadata["labels"] = labels
    return {"metadata": {**metadata, **fields.pop("metadata", {})}, **fields}


def template(name: str, image: str) -> Object:
    return {"spec": {"containers": [{"name": name, "image": image}]}}


def pod(name: str, age: int, state: Object, *, node: str = "", ip: str = "", of: int = 1, **fields: Any) -> Object:
    ready = "running" in state
    statuses = [{"name": f"c{n}", "ready": ready, "restartCount": 0, "state": state} for n in range(of)]
    return made(
        name,
        age,
        spec={"containers": [{"name": f"c{n}"} for n in range(of)], **({"nodeName": node} if node else {})},
        status={
            "phase": fields.pop("phase", "Running"),
            "containerStatuses": statuses if state else [],
            **({"podIPs": [{"ip": ip}]} if ip else {}),
        },
        **fields,
    )


RUNNING: Object = {"running": {}}
COMPLETED = {"terminated": {"reason": "Completed", "exitCode": 0}}
PULL = {"waiting": {"reason": "ImagePullBackOff"}}
PODS = [
    pod("agent-587kb", 14, RUNNING, node="fake-000", ip="10.244.0.10", labels={"app": "agent"}),
    pod("broken", 14, PULL, node="fake-002", ip="10.244.0.9", phase="Pending"),
    pod("pi-cbz57", 10, COMPLETED, node="fake-001", ip="10.244.0.14", phase="Succeeded"),
    pod("toobig", 14, {}, phase="Pending"),
    pod("web-fbd6855c6-7vnmp", 14, RUNNING, node="fake-000", ip="10.244.0.3", labels={"tier": "front", "app": "web"}),
]
LB = {
    "type": "LoadBalancer",
    "clusterIPs": ["10.99.131.140"],
    "ports": [{"port": 80, "nodePort": 30634, "protocol": "TCP"}],
}
NP_PORTS = [{"port": 80, "nodePort": 30098, "protocol": "TCP"}, {"port": 81, "nodePort": 30080, "protocol": "TCP"}]
SERVICES = [
    made("ext", 2, spec={"type": "ExternalName", "externalName": "example.com"}),
    made("hl", 3, spec={"type": "ClusterIP", "clusterIPs": ["None"], "ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": "web"}}),
    made("lb", 3, spec={**LB, "selector": {"app": "web"}}),
    made("np", 3, spec={"type": "NodePort", "clusterIPs": ["10.108.178.73"], "ports": NP_PORTS, "selector": {"app": "web"}}),
]  # fmt: skip
SYSTEM = {
    "kubeletVersion": "v1.36.2",
    "osImage": "Debian GNU/Linux 12 (bookworm)",
    "kernelVersion": "6.1.0-30-amd64 (amd64)",
    "containerRuntimeVersion": "containerd://2.1.0",
}


def node(name: str, ip: str, ready: str = "True", **fields: Any) -> Object:
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "addresses": [{"type": "InternalIP", "address": ip}],
        "nodeInfo": SYSTEM,
    }
    return made(name, 27, spec=fields.pop("spec", {}), status=status, **fields)


def addresses(*last: int) -> list[Object]:
    return [{"ip": f"10.244.1.{number}"} for number in last]


WORKLOAD = {"selector": {"matchLabels": {"app": "web"}}, "template": template("nginx", "nginx:1.27")}
HPA_SPEC = {
    "scaleTargetRef": {"kind": "Deployment", "name": "web"},
    "minReplicas": 2,
    "maxReplicas": 5,
    "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}],
}
PV_SPEC = {
    "capacity": {"storage": "5Gi"},
    "accessModes": ["ReadWriteOnce"],
    "persistentVolumeReclaimPolicy": "Retain",
    "storageClassName": "st4",
    "volumeMode": "Filesystem",
    "claimRef": {"namespace": "x-st4", "name": "prot"},
}
PVC_SPEC = {"volumeName": "pv-delete", "storageClassName": "delete", "volumeMode": "Filesystem"}
PVC_STATUS = {"phase": "Bound", "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"]}
EVENT = {"type": "Normal", "reason": "Scheduled", "involvedObject": {"kind": "Pod", "name": "p1"}, "message": "Successfully assigned t-n/p1 to fake-001"}  # fmt: skip
DEFAULT_CLASS = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
QUOTA = {"hard": {"cpu": "1", "memory": "1Gi", "pods": "3", "services": "1"}, "used": {"cpu": "600m", "memory": "100Mi", "pods": "1", "services": "0"}}  # fmt: skip
DS = {"desiredNumberScheduled": 5, "currentNumberScheduled": 5, "numberReady": 4, "updatedNumberScheduled": 1, "numberAvailable": 4}  # fmt: skip

RECORDED: list[tuple[str, list[Object], Object, str]] = [
    ("pods", PODS, {}, """\
NAME                  READY   STATUS             RESTARTS   AGE
agent-587kb           1/1     Running            0          14s
broken                0/1     ImagePullBackOff   0          14s
pi-cbz57              0/1     Completed          0          10s
toobig                0/1     Pending            0          14s
web-fbd6855c6-7vnmp   1/1     Running            0          14s
"""),
    ("pods", PODS, {"wide": True}, """\
NAME                  READY   STATUS             RESTARTS   AGE   IP            NODE       NOMINATED NODE   READINESS GATES
agent-587kb           1/1     Running            0          14s   10.244.0.10   fake-000   <none>           <none>
broken                0/1     ImagePullBackOff   0          14s   10.244.0.9    fake-002   <none>           <none>
pi-cbz57              0/1     Completed          0          10s   10.244.0.14   fake-001   <none>           <none>
toobig                0/1     Pending            0          14s   <none>        <none>     <none>           <none>
web-fbd6855c6-7vnmp   1/1     Running            0          14s   10.244.0.3    fake-000   <none>           <none>
"""),
    ("pods", PODS, {"headers": False}, """\
agent-587kb           1/1   Running            0     14s
broken                0/1   ImagePullBackOff   0     14s
pi-cbz57              0/1   Completed          0     10s
toobig                0/1   Pending            0     14s
web-fbd6855c6-7vnmp   1/1   Running            0     14s
"""),
    ("pods", PODS[3:], {"label_columns": ["app", "example.com/tier", "tier"]}, """\
NAME                  READY   STATUS    RESTARTS   AGE   APP   TIER   TIER
toobig                0/1     Pending   0          14s                
web-fbd6855c6-7vnmp   1/1     Running   0          14s   web          front
"""),
    ("pods", PODS[3:], {"show_labels": True}, """\
NAME                  READY   STATUS    RESTARTS   AGE   LABELS
toobig                0/1     Pending   0          14s   <none>
web-fbd6855c6-7vnmp   1/1     Running   0          14s   app=web,tier=front
"""),
    ("pods", PODS[:1], {"show_kind": True, "namespace": True}, """\
NAMESPACE   NAME              READY   STATUS    RESTARTS   AGE
default     pod/agent-587kb   1/1     Running   0          14s
"""),
    ("deployments.apps", [made("web", 15, spec={"replicas": 3, **WORKLOAD}, status={"readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3})], {"wide": True}, """\
NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES       SELECTOR
web    3/3     3            3           15s   nginx        nginx:1.27   app=web
"""),
    ("deployments.apps", [made("web", 17, spec={"replicas": 4}, status={"readyReplicas": 3, "updatedReplicas": 2, "availableReplicas": 3})], {"show_kind": True}, """\
NAME                  READY   UP-TO-DATE   AVAILABLE   AGE
deployment.apps/web   3/4     2            3           17s
"""),
    ("replicasets.apps", [made("one-54f6b96cfb", 3, spec={"replicas": 0}, status={"replicas": 0}), made("one-585d9df55f", 2, spec={"replicas": 1}, status={"replicas": 1, "readyReplicas": 1})], {}, """\
NAME             DESIRED   CURRENT   READY   AGE
one-54f6b96cfb   0         0         0       3s
one-585d9df55f   1         1         1       2s
"""),
    ("statefulsets.apps", [made("db", 5, spec={"replicas": 3, "template": template("redis", "redis:8")}, status={"readyReplicas": 3})], {"wide": True}, """\
NAME   READY   AGE   CONTAINERS   IMAGES
db     3/3     5s    redis        redis:8
"""),
    ("daemonsets.apps", [made("stuck", 7, status=DS)], {"show_kind": True}, """\
NAME                   DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE
daemonset.apps/stuck   5         5         4       1            4           <none>          7s
"""),
    ("jobs.batch", [made("pi", 16, spec={"completions": 2}, status={"succeeded": 2, "startTime": ago(16), "completionTime": ago(9), "conditions": [{"type": "Complete", "status": "True"}]})], {}, """\
NAME   STATUS     COMPLETIONS   DURATION   AGE
pi     Complete   2/2           7s         16s
"""),
    ("cronjobs.batch", [made("tick", 16, spec={"schedule": "0 3 * * *", "suspend": False, "jobTemplate": {"spec": {"template": template("c", "busybox")}}}, status={})], {"wide": True}, """\
NAME   SCHEDULE    TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE   CONTAINERS   IMAGES    SELECTOR
tick   0 3 * * *   <none>     False     0        <none>          16s   c            busybox   <none>
"""),
    ("services", SERVICES, {"wide": True, "show_kind": True}, """\
NAME          TYPE           CLUSTER-IP      EXTERNAL-IP   PORT(S)                     AGE   SELECTOR
service/ext   ExternalName   <none>          example.com   <none>                      2s    <none>
service/hl    ClusterIP      None            <none>        80/TCP                      3s    app=web
service/lb    LoadBalancer   10.99.131.140   <pending>     80:30634/TCP                3s    app=web
service/np    NodePort       10.108.178.73   <none>        80:30098/TCP,81:30080/TCP   3s    app=web
"""),
    ("ingresses.networking.k8s.io", [made("web", 17, spec={"rules": [{"host": "web.example.com"}]}, status={"loadBalancer": {}})], {}, """\
NAME   CLASS    HOSTS             ADDRESS   PORTS   AGE
web    <none>   web.example.com             80      17s
"""),
    ("endpoints", [made("hl", 3, subsets=[{"addresses": addresses(185, 186, 187), "ports": [{"port": 80}]}]), made("np", 3, subsets=[{"addresses": addresses(185, 186, 187), "ports": [{"port": 80}, {"port": 8081}]}]), made("old", 3)], {"show_kind": True}, """\
NAME            ENDPOINTS                                                     AGE
endpoints/hl    10.244.1.185:80,10.244.1.186:80,10.244.1.187:80               3s
endpoints/np    10.244.1.185:80,10.244.1.186:80,10.244.1.187:80 + 3 more...   3s
endpoints/old   <none>                                                        3s
"""),
    ("endpointslices.discovery.k8s.io", [made("np-tkp5p", 3, addressType="IPv4", ports=[{"port": 8081}, {"port": 80}], endpoints=[{"addresses": ["10.244.1.185"]}, {"addresses": ["10.244.1.186"]}]), made("old", 3, addressType="IPv4")], {}, """\
NAME       ADDRESSTYPE   PORTS     ENDPOINTS                   AGE
np-tkp5p   IPv4          8081,80   10.244.1.185,10.244.1.186   3s
old        IPv4          <unset>   <unset>                     3s
"""),
    ("nodes", [node("fake-000", "192.168.10.1", labels={"node-role.kubernetes.io/control-plane": ""})], {"wide": True}, """\
NAME       STATUS   ROLES           AGE   VERSION   INTERNAL-IP    EXTERNAL-IP   OS-IMAGE                         KERNEL-VERSION           CONTAINER-RUNTIME
fake-000   Ready    control-plane   27s   v1.36.2   192.168.10.1   <none>        Debian GNU/Linux 12 (bookworm)   6.1.0-30-amd64 (amd64)   containerd://2.1.0
"""),
    ("nodes", [node("fake-001", "", spec={"unschedulable": True}), node("fake-002", "", ready="Unknown")], {"namespace": True}, """\
NAME       STATUS                     ROLES    AGE   VERSION
fake-001   Ready,SchedulingDisabled   <none>   27s   v1.36.2
fake-002   NotReady                   <none>   27s   v1.36.2
"""),
    ("namespaces", [made("x-del", 4, status={"phase": "Terminating"})], {}, """\
NAME    STATUS        AGE
x-del   Terminating   4s
"""),
    ("events", [made("p1.1", 3, **EVENT, lastTimestamp=ago(3)), made("p1.2", 3, **{**EVENT, "message": "two\nlines"}, eventTime=ago(60)[:-1] + ".123456Z")], {}, """\
LAST SEEN   TYPE     REASON      OBJECT   MESSAGE
3s          Normal   Scheduled   pod/p1   Successfully assigned t-n/p1 to fake-001
60s         Normal   Scheduled   pod/p1   two...
"""),
    ("events", [made("p1.1", 3, **EVENT, firstTimestamp=ago(90), lastTimestamp=ago(3), count=7, source={"component": "kubelet", "host": "fake-001"})], {"wide": True}, """\
LAST SEEN   TYPE     REASON      OBJECT   SUBOBJECT   SOURCE              MESSAGE                                    FIRST SEEN   COUNT   NAME
3s          Normal   Scheduled   pod/p1               kubelet, fake-001   Successfully assigned t-n/p1 to fake-001   90s          7       p1.1
"""),
    ("secrets", [made("cred", 9, type="Opaque", data={"a": "", "b": ""})], {"show_kind": True}, """\
NAME          TYPE     DATA   AGE
secret/cred   Opaque   2      9s
"""),
    ("configmaps", [made("conf", 9, data={"a": ""}, binaryData={"b": ""})], {"show_kind": True}, """\
NAME             DATA   AGE
configmap/conf   2      9s
"""),
    ("serviceaccounts", [made("default", 23)], {}, """\
NAME      AGE
default   23s
"""),
    ("limitranges", [made("lr", 3)], {}, f"""\
NAME   CREATED AT
lr     {ago(3)}
"""),
    ("resourcequotas", [made("q", 2, status=QUOTA)], {}, """\
NAME   REQUEST                                                    LIMIT   AGE
q      cpu: 600m/1, memory: 100Mi/1Gi, pods: 1/3, services: 0/1           2s
"""),
    ("poddisruptionbudgets.policy", [made("web", 2, spec={"minAvailable": 3}, status={"disruptionsAllowed": 0})], {}, """\
NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE
web    3               N/A               0                     2s
"""),
    ("horizontalpodautoscalers.autoscaling", [made("web", 1, spec=HPA_SPEC, status={"currentMetrics": None})], {}, """\
NAME   REFERENCE        TARGETS              MINPODS   MAXPODS   REPLICAS   AGE
web    Deployment/web   cpu: <unknown>/80%   2         5         0          1s
"""),
    ("persistentvolumes", [made("st4-prot", 6, spec=PV_SPEC, status={"phase": "Bound"}, metadata={"deletionTimestamp": ago(1)})], {"wide": True}, """\
NAME       CAPACITY   ACCESS MODES   RECLAIM POLICY   STATUS        CLAIM        STORAGECLASS   VOLUMEATTRIBUTESCLASS   REASON   AGE   VOLUMEMODE
st4-prot   5Gi        RWO            Retain           Terminating   x-st4/prot   st4            <unset>                          6s    Filesystem
"""),
    ("persistentvolumeclaims", [made("c-delete", 4, spec=PVC_SPEC, status=PVC_STATUS)], {"wide": True}, """\
NAME       STATUS   VOLUME      CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE   VOLUMEMODE
c-delete   Bound    pv-delete   5Gi        RWO            delete         <unset>                 4s    Filesystem
"""),
    ("persistentvolumeclaims", [made("data", 16, spec={}, status={"phase": "Pending"})], {}, """\
NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE
data   Pending                                                     <unset>                 16s
"""),
    ("storageclasses.storage.k8s.io", [made("std", 5, provisioner="example.com/prov", metadata=DEFAULT_CLASS)], {}, """\
NAME            PROVISIONER        RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE
std (default)   example.com/prov   Delete          Immediate           false                  5s
"""),
    ("rolebindings.rbac.authorization.k8s.io", [made("reader", 9, roleRef={"kind": "Role", "name": "reader"}, subjects=[{"kind": "User", "name": "alice"}])], {"wide": True}, """\
NAME     ROLE          AGE   USERS   GROUPS   SERVICEACCOUNTS
reader   Role/reader   9s    alice            
"""),
    ("controllerrevisions.apps", [made("part-7f5499d9b7", 5, revision=2, metadata={"ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "part", "controller": True}]})], {}, """\
NAME              CONTROLLER              REVISION   AGE
part-7f5499d9b7   statefulset.apps/part   2          5s
"""),
    ("validatingadmissionpolicies.admissionregistration.k8s.io", [made("x-err", 9, spec={"validations": [{}]}), made("x-param", 5, spec={"validations": [{}], "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}})], {}, """\
NAME      VALIDATIONS   PARAMKIND      AGE
x-err     1             <unset>        9s
x-param   1             v1/ConfigMap   5s
"""),
    ("validatingadmissionpolicybindings.admissionregistration.k8s.io", [made("x-param-b", 5, spec={"policyName": "x-param", "paramRef": {"name": "limits", "namespace": "x-vap"}})], {}, """\
NAME        POLICYNAME   PARAMREF       AGE
x-param-b   x-param      x-vap/limits   5s
"""),
    ("apiservices.apiregistration.k8s.io", [made("v1beta1.metrics.k8s.io", 660, spec={"service": {"namespace": "kube-system", "name": "fake-metrics"}}, status={"conditions": [{"type": "Available", "status": "False", "reason": "FailedDiscoveryCheck"}]})], {}, """\
NAME                     SERVICE                    AVAILABLE                      AGE
v1beta1.metrics.k8s.io   kube-system/fake-metrics   False (FailedDiscoveryCheck)   11m
"""),
    ("leases.coordination.k8s.io", [made("fake-000", 27, namespace="kube-node-lease", spec={"holderIdentity": "fake-000"})], {"namespace": True}, """\
NAMESPACE         NAME       HOLDER     AGE
kube-node-lease   fake-000   fake-000   27s
"""),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "objects", "options", "text"), RECORDED, ids=lambda value: value if isinstance(value, str) and "\n" not in value else "")  # fmt: skip
def test_prints_the_recorded_table(resource: str, objects: list[Object], options: Object, text: str) -> None:
    assert tables.table(REGISTRY.resource(resource), objects, now_s=NOW, **options) == text


def test_a_scale_has_its_own_table() -> None:
    scale = made("web", 20, spec={"replicas": 3}, status={"replicas": 3})
    text = "NAME   DESIRED   AVAILABLE   AGE\nweb    3         3           20s\n"
    assert tables.table(Kind("Scale", "autoscaling/v1", "scales"), [scale], now_s=NOW) == text


def test_nothing_is_printed_of_no_objects_and_unknown_kinds_have_name_and_age() -> None:
    assert tables.table(REGISTRY.resource("pods"), [], now_s=NOW) == ""
    assert tables.table(Kind("Thing", "a.b/v1", "things"), [made("x", 90)], now_s=NOW) == "NAME   AGE\nx      90s\n"


def container(
    name: str, state: Object, *, ready: bool = False, restarts: int = 0, last: int = 0, **more: Any
) -> Object:
    last_state = {"lastState": {"terminated": {"finishedAt": ago(last)}}} if last else {}
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts, **last_state, **more}


WAITING = {"waiting": {"reason": "PodInitializing"}}
SIDECAR = {"name": "s", "restartPolicy": "Always"}
STATUSES: list[tuple[str, Object, tuple[str, str, str]]] = [
    ("an init container runs", {"spec": {"initContainers": [{"name": "i"}, {"name": "j"}]}, "init": [container("i", RUNNING), container("j", WAITING)], "main": [container("c", WAITING)]}, ("0/1", "Init:0/2", "0")),
    ("an init container failed", {"spec": {"initContainers": [{"name": "i"}]}, "init": [container("i", {"terminated": {"exitCode": 3}}, restarts=2, last=10)]}, ("0/1", "Init:ExitCode:3", "2 (10s ago)")),
    ("an init container is in back-off", {"spec": {"initContainers": [{"name": "i"}]}, "init": [container("i", {"waiting": {"reason": "CrashLoopBackOff"}})]}, ("0/1", "Init:CrashLoopBackOff", "0")),
    ("a sidecar counts", {"spec": {"initContainers": [SIDECAR]}, "init": [container("s", RUNNING, ready=True, started=True, restarts=1, last=60)], "main": [container("c", RUNNING, ready=True)]}, ("2/2", "Running", "1 (60s ago)")),
    ("a crash loop", {"main": [container("c", {"waiting": {"reason": "CrashLoopBackOff"}}, restarts=3, last=300)]}, ("0/1", "CrashLoopBackOff", "3 (5m ago)")),
    ("out of memory", {"main": [container("c", {"terminated": {"reason": "OOMKilled", "exitCode": 137}})]}, ("0/1", "OOMKilled", "0")),
    ("a signal without a reason", {"main": [container("c", {"terminated": {"signal": 9, "exitCode": 137}})]}, ("0/1", "Signal:9", "0")),
    ("one container done, one running", {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}, "main": [container("a", COMPLETED), container("b", RUNNING, ready=True)]}, ("1/2", "NotReady", "0")),
    ("the same, but ready", {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}, "main": [container("a", COMPLETED), container("b", RUNNING, ready=True)]}, ("1/2", "Running", "0")),
    ("evicted", {"status": {"phase": "Failed", "reason": "Evicted"}}, ("0/1", "Evicted", "0")),
    ("gated", {"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}}, ("0/1", "SchedulingGated", "0")),
    ("terminating", {"metadata": {"deletionTimestamp": ago(1)}, "main": [container("c", RUNNING, ready=True)]}, ("1/1", "Terminating", "0")),
    ("deleted after it was done", {"metadata": {"deletionTimestamp": ago(1)}, "status": {"phase": "Succeeded"}, "main": [container("c", COMPLETED)]}, ("0/1", "Completed", "0")),
    ("its node is lost", {"metadata": {"deletionTimestamp": ago(1)}, "status": {"phase": "Running", "reason": "NodeLost"}}, ("0/1", "Unknown", "0")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "given", "expected"), STATUSES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_status_of_a_pod(case: str, given: Object, expected: tuple[str, str, str]) -> None:
    statuses = {"containerStatuses": given.get("main", []), "initContainerStatuses": given.get("init", [])}
    spec = {"containers": [{"name": "c"}], **given.get("spec", {})}
    one = made("p", 400, spec=spec, status={"phase": "Running", **statuses, **given.get("status", {})}, metadata=given.get("metadata", {}))  # fmt: skip
    row = tables.table(REGISTRY.resource("pods"), [one], now_s=NOW, headers=False)
    assert [cell.strip() for cell in row.replace(" ago", "~ago").split("  ") if cell.strip()] == [
        "p", *(text.replace(" ago", "~ago") for text in expected), "6m40s",
    ]  # fmt: skip


def test_readiness_gates_are_counted() -> None:
    one = made("p", 1, spec={"containers": [], "readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}]}, status={"conditions": [{"type": "b", "status": "True"}]})  # fmt: skip
    assert tables.table(REGISTRY.resource("pods"), [one], now_s=NOW, wide=True).rstrip().endswith("1/2")


METRICS = [
    ({"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}}, {"resource": {"current": {"averageUtilization": 10}}}, "cpu: 10%/50%"),
    ({"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi"}}}, {"resource": {"current": {"averageValue": "500Mi"}}}, "memory: 500Mi/1Gi"),
    ({"type": "Pods", "pods": {"target": {"averageValue": "10"}}}, {}, "<unknown>/10"),
    ({"type": "External", "external": {"target": {"averageValue": "30"}}}, {"external": {"current": {"averageValue": "5"}}}, "5/30 (avg)"),
    ({"type": "Object", "object": {"target": {"value": "2k"}}}, {"object": {"current": {"value": "1k"}}}, "1k/2k"),
    ({"type": "ContainerResource", "containerResource": {"name": "cpu", "target": {"averageUtilization": 60}}}, {}, "cpu: <unknown>/60%"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "status", "text"), METRICS, ids=lambda value: value if isinstance(value, str) else "")
def test_metrics_of_an_autoscaler(spec: Object, status: Object, text: str) -> None:
    from minikube_py.printers.cells import autoscaling

    assert autoscaling.metric_text(spec, status) == text
    hpa = {"spec": {"metrics": [spec] * 3}, "status": {"currentMetrics": [status] * 3}}
    assert autoscaling.targets(hpa, NOW) == f"{text}, {text} + 1 more..."


@pytest.mark.parametrize("resource", sorted(COLUMNS))
def test_every_cell_of_every_kind_takes_an_object_without_a_spec(resource: str) -> None:
    bare = {"metadata": {"name": "x", "creationTimestamp": ago(5)}}
    for column in COLUMNS[resource]:
        assert tables.cell_of(column.cell)(bare, NOW) is not None


def test_every_row_of_columns_belongs_to_a_kind() -> None:
    known = {kind.resource for kind in REGISTRY.kinds}
    assert set(COLUMNS) - known == {"scales.autoscaling"}
