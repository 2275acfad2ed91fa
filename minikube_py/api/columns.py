"""The columns of `kubectl get` for each kind: names, cells by string, and which are for `-o wide` only.

A cell is "room.function" of minikube_py.printers.cells, or a path into the object: ".spec.type" ('' if it is missing),
".spec.timeZone|<none>" (with what stands for a missing or empty value).

Source: pkg/printers/internalversion/printers.go; the table convertors of apiextensions-apiserver and kube-aggregator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple


class Column(NamedTuple):
    """`wide`: shown with -o wide only (priority 1). `type` and `format` as in metav1.TableColumnDefinition."""

    name: str
    cell: str
    wide: bool = False
    type: str = "string"
    format: str = ""


NAME = Column("Name", "meta.name", format="name")
AGE = Column("Age", "meta.age")
CREATED_AT = Column("Created At", "meta.created_at", type="date")
CONTAINERS = Column("Containers", "workloads.containers", wide=True)
IMAGES = Column("Images", "workloads.images", wide=True)
SELECTOR = Column("Selector", "workloads.selector", wide=True)
LAYOUT = (CONTAINERS, IMAGES, SELECTOR)
DEFAULT = (NAME, AGE)
MEASURED = (
    NAME,
    Column("cpu", "metrics.cpu", format="quantity"),
    Column("memory", "metrics.memory", format="quantity"),
    Column("Window", ".window", format="duration"),
)
WEBHOOKS = (NAME, Column("Webhooks", "policy.webhooks", type="integer"), AGE)
BINDING = (
    NAME,
    Column("Role", "policy.role_ref"),
    AGE,
    Column("Users", "policy.users", wide=True),
    Column("Groups", "policy.groups", wide=True),
    Column("ServiceAccounts", "policy.service_accounts", wide=True),
)
POLICY_BINDING = (NAME, Column("PolicyName", ".spec.policyName"), Column("ParamRef", "policy.param_ref"), AGE)
REPLICAS = (
    NAME,
    Column("Desired", ".spec.replicas|0", type="integer"),
    Column("Current", ".status.replicas|0", type="integer"),
    Column("Ready", ".status.readyReplicas|0", type="integer"),
    AGE,
)
EVENT = (
    Column("Last Seen", "events.last_seen"),
    Column("Type", ".type"),
    Column("Reason", ".reason"),
    Column("Object", "events.target"),
    Column("Subobject", "events.field_path", wide=True),
    Column("Source", "events.source", wide=True),
    Column("Message", "events.message"),
    Column("First Seen", "events.first_seen", wide=True),
    Column("Count", "events.count", wide=True),
    Column("Name", "meta.name", wide=True, format="name"),
)

# fmt: off
COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (NAME, Column("Ready", "pods.ready"), Column("Status", "pods.status"), Column("Restarts", "pods.restarts"), AGE, Column("IP", "pods.ip", True), Column("Node", ".spec.nodeName|<none>", True), Column("Nominated Node", ".status.nominatedNodeName|<none>", True), Column("Readiness Gates", "pods.readiness_gates", True)),
    "podtemplates": (NAME, Column("Containers", "workloads.containers"), Column("Images", "workloads.images"), Column("Pod Labels", "workloads.template_labels")),
    "poddisruptionbudgets.policy": (NAME, Column("Min Available", ".spec.minAvailable|N/A"), Column("Max Unavailable", ".spec.maxUnavailable|N/A"), Column("Allowed Disruptions", ".status.disruptionsAllowed|0", type="integer"), AGE),
    "replicationcontrollers": (*REPLICAS, CONTAINERS, IMAGES, Column("Selector", "workloads.label_selector", True)),
    "replicasets.apps": (*REPLICAS, *LAYOUT),
    "daemonsets.apps": (NAME, Column("Desired", ".status.desiredNumberScheduled|0", type="integer"), Column("Current", ".status.currentNumberScheduled|0", type="integer"), Column("Ready", ".status.numberReady|0", type="integer"), Column("Up-to-date", ".status.updatedNumberScheduled|0", type="integer"), Column("Available", ".status.numberAvailable|0", type="integer"), Column("Node Selector", "workloads.node_selector"), AGE, *LAYOUT),
    "jobs.batch": (NAME, Column("Status", "workloads.job_status"), Column("Completions", "workloads.job_completions"), Column("Duration", "workloads.job_duration"), AGE, *LAYOUT),
    "cronjobs.batch": (NAME, Column("Schedule", ".spec.schedule"), Column("Timezone", ".spec.timeZone|<none>"), Column("Suspend", "workloads.suspend", type="boolean"), Column("Active", "workloads.active", type="integer"), Column("Last Schedule", "workloads.last_schedule"), AGE, CONTAINERS, IMAGES, Column("Selector", "workloads.job_selector", True)),
    "services": (NAME, Column("Type", ".spec.type"), Column("Cluster-IP", "network.cluster_ip"), Column("External-IP", "network.external_ip"), Column("Port(s)", "network.service_ports"), AGE, Column("Selector", "workloads.label_selector", True)),
    "ingresses.networking.k8s.io": (NAME, Column("Class", ".spec.ingressClassName|<none>"), Column("Hosts", "network.hosts"), Column("Address", "network.load_balancer"), Column("Ports", "network.ingress_ports"), AGE),
    "ingressclasses.networking.k8s.io": (NAME, Column("Controller", ".spec.controller"), Column("Parameters", "network.parameters"), AGE),
    "statefulsets.apps": (NAME, Column("Ready", "workloads.ready"), AGE, CONTAINERS, IMAGES),
    "endpoints": (NAME, Column("Endpoints", "network.endpoints"), AGE),
    "nodes": (NAME, Column("Status", "nodes.status"), Column("Roles", "nodes.roles"), AGE, Column("Version", ".status.nodeInfo.kubeletVersion"), Column("Internal-IP", "nodes.internal_ip", True), Column("External-IP", "nodes.external_ip", True), Column("OS-Image", ".status.nodeInfo.osImage|<unknown>", True), Column("Kernel-Version", "nodes.kernel", True), Column("Container-Runtime", ".status.nodeInfo.containerRuntimeVersion|<unknown>", True)),
    "events": EVENT,
    "events.events.k8s.io": EVENT,
    "namespaces": (NAME, Column("Status", ".status.phase"), AGE),
    "secrets": (NAME, Column("Type", ".type"), Column("Data", "meta.data"), AGE),
    "serviceaccounts": DEFAULT,
    "scales.autoscaling": (NAME, Column("Desired", ".spec.replicas|0", type="integer"), Column("Available", ".status.replicas|0", type="integer"), AGE),
    "persistentvolumes": (NAME, Column("Capacity", "storage.capacity"), Column("Access Modes", "storage.access_modes"), Column("Reclaim Policy", ".spec.persistentVolumeReclaimPolicy"), Column("Status", "storage.phase"), Column("Claim", "storage.claim"), Column("StorageClass", "storage.storage_class"), Column("VolumeAttributesClass", ".spec.volumeAttributesClassName|<unset>"), Column("Reason", ".status.reason"), AGE, Column("VolumeMode", ".spec.volumeMode|<unset>", True)),
    "persistentvolumeclaims": (NAME, Column("Status", "storage.phase"), Column("Volume", ".spec.volumeName"), Column("Capacity", "storage.claim_capacity"), Column("Access Modes", "storage.claim_modes"), Column("StorageClass", "storage.storage_class"), Column("VolumeAttributesClass", ".spec.volumeAttributesClassName|<unset>"), AGE, Column("VolumeMode", ".spec.volumeMode|<unset>", True)),
    "componentstatuses": (NAME, Column("Status", "nodes.component_status"), Column("Message", "nodes.component_message"), Column("Error", "nodes.component_error")),
    "deployments.apps": (NAME, Column("Ready", "workloads.ready"), Column("Up-to-date", ".status.updatedReplicas|0"), Column("Available", ".status.availableReplicas|0"), AGE, CONTAINERS, IMAGES, Column("Selector", "workloads.plain_selector", True)),
    "horizontalpodautoscalers.autoscaling": (NAME, Column("Reference", "autoscaling.reference"), Column("Targets", "autoscaling.targets"), Column("MinPods", ".spec.minReplicas|<unset>"), Column("MaxPods", ".spec.maxReplicas|0"), Column("Replicas", ".status.currentReplicas|0"), AGE),
    "configmaps": (NAME, Column("Data", "meta.data"), AGE),
    "limitranges": (NAME, CREATED_AT),
    "networkpolicies.networking.k8s.io": (NAME, Column("Pod-Selector", "network.pod_selector"), AGE),
    "roles.rbac.authorization.k8s.io": (NAME, CREATED_AT),
    "clusterroles.rbac.authorization.k8s.io": (NAME, CREATED_AT),
    "rolebindings.rbac.authorization.k8s.io": BINDING,
    "clusterrolebindings.rbac.authorization.k8s.io": BINDING,
    "customresourcedefinitions.apiextensions.k8s.io": (NAME, CREATED_AT),
    "apiservices.apiregistration.k8s.io": (NAME, Column("Service", "policy.api_service"), Column("Available", "policy.available"), AGE),
    "certificatesigningrequests.certificates.k8s.io": (NAME, AGE, Column("SignerName", ".spec.signerName|<none>"), Column("Requestor", ".spec.username"), Column("RequestedDuration", "policy.requested_duration"), Column("Condition", "policy.csr_condition")),
    "leases.coordination.k8s.io": (NAME, Column("Holder", ".spec.holderIdentity"), AGE),
    "storageclasses.storage.k8s.io": (Column("Name", "storage.class_name", format="name"), Column("Provisioner", ".provisioner"), Column("ReclaimPolicy", ".reclaimPolicy|Delete"), Column("VolumeBindingMode", ".volumeBindingMode|Immediate"), Column("AllowVolumeExpansion", ".allowVolumeExpansion|false"), AGE),
    "volumeattributesclasses.storage.k8s.io": (Column("Name", "storage.attributes_class_name", format="name"), Column("DriverName", ".driverName"), AGE),
    "volumeattachments.storage.k8s.io": (NAME, Column("Attacher", ".spec.attacher", format="name"), Column("PV", ".spec.source.persistentVolumeName"), Column("Node", ".spec.nodeName"), Column("Attached", ".status.attached|false", type="boolean"), AGE),
    "csinodes.storage.k8s.io": (NAME, Column("Drivers", "storage.drivers", type="integer"), AGE),
    "csidrivers.storage.k8s.io": (NAME, Column("AttachRequired", ".spec.attachRequired|true", type="boolean"), Column("PodInfoOnMount", ".spec.podInfoOnMount|false", type="boolean"), Column("StorageCapacity", ".spec.storageCapacity|false", type="boolean"), Column("TokenRequests", "storage.token_requests"), Column("RequiresRepublish", ".spec.requiresRepublish|false", type="boolean"), Column("Modes", "storage.lifecycle_modes"), AGE),
    "csistoragecapacities.storage.k8s.io": (NAME, Column("StorageClassName", ".storageClassName"), Column("Capacity", ".capacity|<unset>")),
    "controllerrevisions.apps": (NAME, Column("Controller", "workloads.controller"), Column("Revision", ".revision|0"), AGE),
    "resourcequotas": (NAME, Column("Request", "policy.quota_requests"), Column("Limit", "policy.quota_limits"), AGE),
    "priorityclasses.scheduling.k8s.io": (NAME, Column("Value", ".value|0", type="integer"), Column("Global-Default", ".globalDefault|false", type="boolean"), AGE, Column("PreemptionPolicy", ".preemptionPolicy")),
    "runtimeclasses.node.k8s.io": (NAME, Column("Handler", ".handler"), AGE),
    "endpointslices.discovery.k8s.io": (NAME, Column("AddressType", ".addressType"), Column("Ports", "network.slice_ports"), Column("Endpoints", "network.slice_endpoints"), AGE),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": WEBHOOKS,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": WEBHOOKS,
    "validatingadmissionpolicies.admissionregistration.k8s.io": (NAME, Column("Validations", "policy.validations", type="integer"), Column("ParamKind", "policy.param_kind"), AGE),
    "mutatingadmissionpolicies.admissionregistration.k8s.io": (NAME, Column("Mutations", "policy.mutations", type="integer"), Column("ParamKind", "policy.param_kind"), AGE),
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": POLICY_BINDING,
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": POLICY_BINDING,
    "flowschemas.flowcontrol.apiserver.k8s.io": (NAME, Column("PriorityLevel", ".spec.priorityLevelConfiguration.name"), Column("MatchingPrecedence", ".spec.matchingPrecedence|0"), Column("DistinguisherMethod", ".spec.distinguisherMethod.type|<none>"), AGE, Column("MissingPL", "policy.missing_priority_level")),
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": (NAME, Column("Type", ".spec.type"), Column("NominalConcurrencyShares", ".spec.limited.nominalConcurrencyShares|<none>"), Column("Queues", ".spec.limited.limitResponse.queuing.queues|<none>"), Column("HandSize", ".spec.limited.limitResponse.queuing.handSize|<none>"), Column("QueueLengthLimit", ".spec.limited.limitResponse.queuing.queueLengthLimit|<none>"), AGE),
    "resourceclaims.resource.k8s.io": (NAME, Column("State", "storage.claim_state"), AGE),
    "resourceslices.resource.k8s.io": (NAME, Column("Node", ".spec.nodeName"), Column("Driver", ".spec.driver"), Column("Pool", ".spec.pool.name"), AGE),
    "servicecidrs.networking.k8s.io": (NAME, Column("CIDRs", "network.cidrs"), AGE),
    "ipaddresses.networking.k8s.io": (NAME, Column("ParentRef", "network.parent_ref")),
    "verticalpodautoscalercheckpoints.autoscaling.k8s.io": DEFAULT,
    "verticalpodautoscalers.autoscaling.k8s.io": (
        NAME, Column("Mode", ".spec.updatePolicy.updateMode"), Column("CPU", "autoscaling.recommended_cpu"),
        Column("Mem", "autoscaling.recommended_memory"), Column("Provided", "autoscaling.provided"), AGE,
        Column("MinReplicas", ".spec.updatePolicy.minReplicas", wide=True, type="integer"),
        Column("OOMSeconds", ".spec.updatePolicy.evictAfterOOMSeconds", wide=True, type="integer"),
    ),
    "nodes.metrics.k8s.io": MEASURED,
    "pods.metrics.k8s.io": MEASURED,
    "faults.sim.kpy.dev": (NAME, Column("Type", ".spec.type"), Column("Node", ".spec.node|<none>"), AGE),
    "metricseries.sim.kpy.dev": (NAME, Column("Metric", ".spec.metric"), Column("Type", ".spec.type"), AGE),
    "traffics.sim.kpy.dev": (NAME, Column("Status", ".status.phase"), Column("Requests", ".status.requests|0", type="integer"), Column("Errors", ".status.errors|0", type="integer"), Column("P95", ".status.latency.p95"), AGE),
    "webhookstubs.sim.kpy.dev": (NAME, Column("Allowed", ".spec.allowed|true"), Column("Message", ".spec.message"), AGE),
    "nodegroups.sim.kpy.dev": (NAME, Column("Minimum", ".spec.minimum|0", type="integer"), Column("Maximum", ".spec.maximum|0", type="integer"), AGE),
}
# fmt: on
