"""THE table: one row tells the whole of a kind, and nothing else in the package names a plural.

It feeds command arguments, `api-resources`, `explain`, tables, admission, field selectors, HTTP routes, discovery and the
reference docs. A `Registry` is a value: CustomResourceDefinitions give a new one (`registry.with_crds`), never a mutation.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple

    from minikube_py.api.custom import Schemas
    from minikube_py.api.types import Object
else:
    from minikube_py.base.record import NamedTuple


ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CRD_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
CREATE_ONLY = ("create",)
READ_ONLY = ("get", "list")
SIMULATOR = "sim.kpy.dev/v1alpha1"  # the group of the simulator's own kinds
METRICS = "metrics.k8s.io/v1beta1"  # what the metrics server tells: nothing of it is stored


class _Row(NamedTuple):
    name: str
    version: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    others: tuple[str, ...] = ()
    stored_as: str = ""
    crd: str = ""  # the name of the CustomResourceDefinition that this row comes from
    singular_name: str = ""
    list_name: str = ""
    columns: tuple[tuple[str, str, bool, str, str], ...] = ()  # a CRD's printer columns, as api.columns.Column
    schemas: Schemas | None = None  # a CRD's schemas
    simulated: bool = False  # served without a CRD: the simulator's own, the VPA's, and metrics


class Kind(_Row):
    """One served kind.

    `version` is the preferred apiVersion and the one stored; `others` are further apiVersions of the same objects.
    `stored_as` names another row's resource that holds the objects (events.k8s.io events are core events).
    Behaviour that differs by kind is found by name: `minikube_py.api.defaults.<room>`, `.validation.<room>`,
    `minikube_py.printers.describe.<room>`, columns in `minikube_py.api.columns.COLUMNS[resource]`.
    """

    @cached_property
    def group(self) -> str:
        return self.version.rpartition("/")[0]

    @cached_property
    def resource(self) -> str:
        """'deployments.apps', 'pods': the Key's resource, and the words of API errors."""
        group = self.group
        return f"{self.plural}.{group}" if group else self.plural

    @property
    def resource_path(self) -> str:
        """'apps/v1, Resource=deployments', as kubectl's errors tell it; '/v1, Resource=pods' for the core group."""
        version = self.version if self.group else "/" + self.version
        return f"{version}, Resource={self.plural}"

    @cached_property
    def storage(self) -> str:
        """The resource under which the objects are stored."""
        return self.stored_as or self.resource

    @property
    def singular(self) -> str:
        return self.singular_name or self.name.lower()

    @property
    def list_kind(self) -> str:
        """'DeploymentList'"""
        return self.list_name or f"{self.name}List"

    @property
    def qualified(self) -> str:
        """'deployment.apps', 'pod': how kubectl names an object in front of a slash."""
        group = self.group
        return f"{self.singular}.{group}" if group else self.singular


# fmt: off
KINDS: tuple[Kind, ...] = (
    Kind("Binding", "v1", "bindings", verbs=CREATE_ONLY),
    Kind("ComponentStatus", "v1", "componentstatuses", short=("cs",), namespaced=False, verbs=READ_ONLY),
    Kind("ConfigMap", "v1", "configmaps", short=("cm",)),
    Kind("Endpoints", "v1", "endpoints", short=("ep",)),
    Kind("Event", "v1", "events", short=("ev",)),
    Kind("LimitRange", "v1", "limitranges", short=("limits",)),
    Kind("Namespace", "v1", "namespaces", short=("ns",), namespaced=False, subresources=("finalize", "status"), verbs=("create", "delete", "get", "list", "patch", "update", "watch")),
    Kind("Node", "v1", "nodes", short=("no",), namespaced=False, subresources=("proxy", "status")),
    Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims", short=("pvc",), subresources=("status",)),
    Kind("PersistentVolume", "v1", "persistentvolumes", short=("pv",), namespaced=False, subresources=("status",)),
    Kind("Pod", "v1", "pods", short=("po",), subresources=("attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status"), categories=("all",)),
    Kind("PodTemplate", "v1", "podtemplates"),
    Kind("ReplicationController", "v1", "replicationcontrollers", short=("rc",), subresources=("scale", "status"), categories=("all",)),
    Kind("ResourceQuota", "v1", "resourcequotas", short=("quota",), subresources=("status",)),
    Kind("Secret", "v1", "secrets"),
    Kind("ServiceAccount", "v1", "serviceaccounts", short=("sa",), subresources=("token",)),
    Kind("Service", "v1", "services", short=("svc",), subresources=("proxy", "status"), categories=("all",)),
    Kind("MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "mutatingadmissionpolicies", namespaced=False, categories=("api-extensions",)),
    Kind("MutatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "mutatingadmissionpolicybindings", namespaced=False, categories=("api-extensions",)),
    Kind("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", namespaced=False, categories=("api-extensions",)),
    Kind("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "validatingadmissionpolicies", namespaced=False, subresources=("status",), categories=("api-extensions",)),
    Kind("ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", namespaced=False, categories=("api-extensions",)),
    Kind("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", namespaced=False, categories=("api-extensions",)),
    Kind("CustomResourceDefinition", "apiextensions.k8s.io/v1", "customresourcedefinitions", short=("crd", "crds"), namespaced=False, subresources=("status",), categories=("api-extensions",)),
    Kind("APIService", "apiregistration.k8s.io/v1", "apiservices", namespaced=False, subresources=("status",), categories=("api-extensions",)),
    Kind("ControllerRevision", "apps/v1", "controllerrevisions"),
    Kind("DaemonSet", "apps/v1", "daemonsets", short=("ds",), subresources=("status",), categories=("all",)),
    Kind("Deployment", "apps/v1", "deployments", short=("deploy",), subresources=("scale", "status"), categories=("all",)),
    Kind("ReplicaSet", "apps/v1", "replicasets", short=("rs",), subresources=("scale", "status"), categories=("all",)),
    Kind("StatefulSet", "apps/v1", "statefulsets", short=("sts",), subresources=("scale", "status"), categories=("all",)),
    Kind("SelfSubjectReview", "authentication.k8s.io/v1", "selfsubjectreviews", namespaced=False, verbs=CREATE_ONLY),
    Kind("TokenReview", "authentication.k8s.io/v1", "tokenreviews", namespaced=False, verbs=CREATE_ONLY),
    Kind("LocalSubjectAccessReview", "authorization.k8s.io/v1", "localsubjectaccessreviews", verbs=CREATE_ONLY),
    Kind("SelfSubjectAccessReview", "authorization.k8s.io/v1", "selfsubjectaccessreviews", namespaced=False, verbs=CREATE_ONLY),
    Kind("SelfSubjectRulesReview", "authorization.k8s.io/v1", "selfsubjectrulesreviews", namespaced=False, verbs=CREATE_ONLY),
    Kind("SubjectAccessReview", "authorization.k8s.io/v1", "subjectaccessreviews", namespaced=False, verbs=CREATE_ONLY),
    Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers", short=("hpa",), subresources=("status",), categories=("all",), others=("autoscaling/v1",)),
    Kind("CronJob", "batch/v1", "cronjobs", short=("cj",), subresources=("status",), categories=("all",)),
    Kind("Job", "batch/v1", "jobs", subresources=("status",), categories=("all",)),
    Kind("CertificateSigningRequest", "certificates.k8s.io/v1", "certificatesigningrequests", short=("csr",), namespaced=False, subresources=("approval", "status")),
    Kind("Lease", "coordination.k8s.io/v1", "leases"),
    Kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
    Kind("Event", "events.k8s.io/v1", "events", short=("ev",), stored_as="events"),
    Kind("FlowSchema", "flowcontrol.apiserver.k8s.io/v1", "flowschemas", namespaced=False, subresources=("status",)),
    Kind("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1", "prioritylevelconfigurations", namespaced=False, subresources=("status",)),
    Kind("IngressClass", "networking.k8s.io/v1", "ingressclasses", namespaced=False),
    Kind("Ingress", "networking.k8s.io/v1", "ingresses", short=("ing",), subresources=("status",)),
    Kind("IPAddress", "networking.k8s.io/v1", "ipaddresses", short=("ip",), namespaced=False),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", short=("netpol",)),
    Kind("ServiceCIDR", "networking.k8s.io/v1", "servicecidrs", namespaced=False, subresources=("status",)),
    Kind("RuntimeClass", "node.k8s.io/v1", "runtimeclasses", namespaced=False),
    Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", short=("pdb",), subresources=("status",)),
    Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
    Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
    Kind("DeviceClass", "resource.k8s.io/v1", "deviceclasses", namespaced=False),
    Kind("ResourceClaim", "resource.k8s.io/v1", "resourceclaims", subresources=("status",)),
    Kind("ResourceClaimTemplate", "resource.k8s.io/v1", "resourceclaimtemplates"),
    Kind("ResourceSlice", "resource.k8s.io/v1", "resourceslices", namespaced=False),
    Kind("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", short=("pc",), namespaced=False),
    Kind("CSIDriver", "storage.k8s.io/v1", "csidrivers", namespaced=False),
    Kind("CSINode", "storage.k8s.io/v1", "csinodes", namespaced=False),
    Kind("CSIStorageCapacity", "storage.k8s.io/v1", "csistoragecapacities"),
    Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", short=("sc",), namespaced=False),
    Kind("VolumeAttachment", "storage.k8s.io/v1", "volumeattachments", namespaced=False, subresources=("status",)),
    Kind("VolumeAttributesClass", "storage.k8s.io/v1", "volumeattributesclasses", short=("vac",), namespaced=False),
    Kind("VerticalPodAutoscalerCheckpoint", "autoscaling.k8s.io/v1", "verticalpodautoscalercheckpoints", short=("vpacheckpoint",), verbs=CRD_VERBS, simulated=True),
    Kind("VerticalPodAutoscaler", "autoscaling.k8s.io/v1", "verticalpodautoscalers", short=("vpa",), subresources=("status",), verbs=CRD_VERBS, simulated=True),
    Kind("NodeMetrics", METRICS, "nodes", namespaced=False, verbs=READ_ONLY, simulated=True),
    Kind("PodMetrics", METRICS, "pods", verbs=READ_ONLY, simulated=True),
    Kind("Fault", SIMULATOR, "faults", namespaced=False, subresources=("status",), simulated=True),
    Kind("MetricSeries", SIMULATOR, "metricseries", subresources=("status",), simulated=True),
    Kind("NodeGroup", SIMULATOR, "nodegroups", namespaced=False, subresources=("status",), simulated=True),
    Kind("Program", SIMULATOR, "programs", subresources=("status",), simulated=True),
    Kind("Traffic", SIMULATOR, "traffics", subresources=("status",), simulated=True),
    Kind("WebhookStub", SIMULATOR, "webhookstubs", namespaced=False, simulated=True),
)
# fmt: on


class Registry:
    """The kinds that a cluster serves, with the look-ups that everybody needs. Immutable."""

    __slots__ = ("_by_resource", "_by_version_kind", "_by_word", "_places", "kinds")

    def __init__(self, kinds: Iterable[Kind] = KINDS) -> None:
        self.kinds = tuple(kinds)
        self._by_resource = {kind.resource: kind for kind in self.kinds}
        self._by_version_kind = {
            (version, kind.name): kind for kind in self.kinds for version in (kind.version, *kind.others)
        }
        self._places = {key: (kind.storage, kind.namespaced) for key, kind in self._by_version_kind.items()}
        self._by_word: dict[str, Kind] = {}
        for kind in self.kinds:  # the first row of the table wins: core events before events.k8s.io
            for word in (kind.plural, kind.singular, *kind.short):
                self._by_word.setdefault(word, kind)

    def resource(self, resource: str) -> Kind:
        """The kind of a Key's resource. KeyError if there is none."""
        return self._by_resource[resource]

    def find(self, api_version: str, kind: str) -> Kind | None:
        """The kind of a document's apiVersion and kind, or None."""
        return self._by_version_kind.get((api_version, kind))

    def place(self, api_version: str, kind: str) -> tuple[str, bool] | None:
        """(resource under which its objects are stored, whether they are namespaced) of an ownerReference's kind."""
        return self._places.get((api_version, kind))

    def named(self, word: str) -> Kind | None:
        """What a person types for a kind: po, pod, pods, deployments.apps, deployments.v1.apps, deploy.ap; None if none.

        Behind the name stands a version with its group, a group, or the beginning of a group (in that order); the core
        group is the empty word, so 'pods.v1.' is a pod and 'pods.v1' is nothing. Source: meta.DefaultRESTMapper.
        """
        word = word.lower()
        found = self._by_word.get(word) or self._by_resource.get(word)
        if found or "." not in word:
            return found
        head, _, tail = word.partition(".")
        named = [kind for kind in self.kinds if head in (kind.plural, kind.singular, *kind.short)]
        for kind in named:
            if tail in (f"{version.rpartition('/')[2]}.{kind.group}" for version in (kind.version, *kind.others)):
                return kind
        for kind in named:
            if kind.group == tail:
                return kind
        return next((kind for kind in named if kind.group.startswith(tail)), None)

    def category(self, word: str) -> tuple[Kind, ...]:
        """The kinds of a category such as 'all', in the order of the table."""
        return tuple(kind for kind in self.kinds if word in kind.categories)

    def with_kinds(self, more: Iterable[Kind]) -> Registry:
        return Registry((*self.kinds, *more))

    def with_crds(self, crds: Iterable[Object]) -> Registry:
        """The rows that are built in, and those of the CRDs that are established, in the order given.

        A CRD of a kind that is there without one (the VPA's) takes its place.
        """
        from minikube_py.api import custom

        more = [kind for crd in crds if custom.is_established(crd) for kind in custom.kinds_of(crd)]
        defined = {kind.resource for kind in more}
        built_in = (kind for kind in self.kinds if not kind.crd and not (kind.simulated and kind.resource in defined))
        return Registry((*built_in, *more))


BUILTIN = Registry()
