"""PIPELINE: every component that thinks, in causal order, with what wakes it.

A row: the step's name (and the file it is in), the component that its writes and events carry, the resource whose objects
it looks at, its function, and for each resource that concerns it the mappings from a change to its keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.engine import wakes

if TYPE_CHECKING:
    from collections.abc import Mapping


TRAFFIC = "traffics.sim.kpy.dev"


class Step(NamedTuple):
    name: str
    component: str
    resource: str  # '*': objects of every resource
    function: str  # 'controllers.deployment:step', below minikube_py
    wakes_on: Mapping[str, tuple[Any, ...]]
    order: str = ""  # 'module:function' of (object, view, now_s) that orders the objects before their names do
    sees_itself: bool = True  # whether what a run writes wakes it again; False where one run comes to its rest
    of_the_gone: bool = False  # whether it looks at objects that were deleted, as they were last


PIPELINE: tuple[Step, ...] = (
    Step(
        "namespace",
        "namespace-controller",
        "namespaces",
        "controllers.namespace:step",
        {"namespaces": (wakes.itself,), "*": (wakes.its_terminating_namespace,)},
    ),
    Step(
        "serviceaccount",
        "serviceaccount-controller",
        "namespaces",
        "controllers.service_account:step",
        {"namespaces": (wakes.itself,), "serviceaccounts": (wakes.its_namespace_if_deleted,)},
    ),
    Step(
        "root-ca-cert-publisher",
        "root-ca-cert-publisher",
        "namespaces",
        "controllers.root_ca:step",
        {"namespaces": (wakes.itself,), "configmaps": (wakes.its_namespace_if_root_ca,)},
    ),
    Step(
        "kubernetes-service",
        "kube-apiserver",
        "namespaces",
        "controllers.api_service:step",
        {
            "services": (wakes.default_namespace_if_api_service,),
            "endpoints": (wakes.default_namespace_if_api_service,),
            "endpointslices.discovery.k8s.io": (wakes.default_namespace_if_api_service,),
        },
    ),
    Step(
        "service-account-tokens",
        "tokens-controller",
        "secrets",
        "controllers.service_account_tokens:step",
        {"secrets": (wakes.itself,), "serviceaccounts": (wakes.its_token_secrets_if_deleted,)},
    ),
    Step(
        "token-cleaner",
        "token-cleaner",
        "secrets",
        "controllers.bootstrap_tokens:clean",
        {"secrets": (wakes.itself_if_bootstrap_token,)},
    ),
    Step(
        "bootstrap-signer",
        "bootstrap-signer",
        "configmaps",
        "controllers.bootstrap_tokens:sign",
        {"configmaps": (wakes.itself_if_cluster_info,), "secrets": (wakes.cluster_info_if_bootstrap_token,)},
    ),
    Step(
        "service-cidrs",
        "service-cidr-controller",
        "servicecidrs.networking.k8s.io",
        "controllers.service_cidrs:step",
        {
            "servicecidrs.networking.k8s.io": (wakes.itself, wakes.service_blocks_that_leave),
            "services": (wakes.service_blocks_that_leave,),
        },
    ),
    Step(
        "certificates",
        "certificate-controller",
        "certificatesigningrequests.certificates.k8s.io",
        "controllers.certificates:step",
        {"certificatesigningrequests.certificates.k8s.io": (wakes.itself,)},
    ),
    Step(
        "clusterrole-aggregation",
        "clusterrole-aggregation-controller",
        "clusterroles.rbac.authorization.k8s.io",
        "controllers.clusterrole_aggregation:step",
        {"clusterroles.rbac.authorization.k8s.io": (wakes.aggregating,)},
    ),
    Step(
        "admission-policy-status",
        "validatingadmissionpolicy-status-controller",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "controllers.policy_status:step",
        {"validatingadmissionpolicies.admissionregistration.k8s.io": (wakes.itself,)},
    ),
    Step(
        "deployment",
        "deployment-controller",
        "deployments.apps",
        "controllers.deployment.controller:step",
        {
            "deployments.apps": (wakes.itself,),
            "replicasets.apps": (wakes.owner("deployments.apps"), wakes.adopting_deployments),
            "pods": (wakes.owner_of_gone_pod("replicasets.apps", "deployments.apps"),),
        },
    ),
    Step(
        "replicaset",
        "replicaset-controller",
        "replicasets.apps",
        "controllers.replicaset:step",
        {
            "replicasets.apps": (wakes.itself,),
            "pods": (wakes.owner("replicasets.apps", wakes.COUNTED), wakes.adopting("replicasets.apps")),
        },
    ),
    Step(
        "replicationcontroller",
        "replication-controller",
        "replicationcontrollers",
        "controllers.replicaset:replication_controller_step",
        {
            "replicationcontrollers": (wakes.itself,),
            "pods": (
                wakes.owner("replicationcontrollers", wakes.COUNTED),
                wakes.adopting("replicationcontrollers"),
            ),
        },
    ),
    Step(
        "daemonset",
        "daemonset-controller",
        "daemonsets.apps",
        "controllers.daemonset:step",
        {
            "daemonsets.apps": (wakes.itself,),
            "pods": (wakes.owner("daemonsets.apps"), wakes.adopting("daemonsets.apps")),
            "controllerrevisions.apps": (wakes.owner("daemonsets.apps"),),
            "nodes": (wakes.all_if_node_changed("daemonsets.apps"),),
        },
    ),
    Step(
        "statefulset",
        "statefulset-controller",
        "statefulsets.apps",
        "controllers.statefulset:step",
        {
            "statefulsets.apps": (wakes.itself,),
            "pods": (wakes.owner("statefulsets.apps"), wakes.adopting("statefulsets.apps")),
            "controllerrevisions.apps": (wakes.owner("statefulsets.apps"),),
        },
    ),
    Step(
        "cronjob",
        "cronjob-controller",
        "cronjobs.batch",
        "controllers.cronjob:step",
        {"cronjobs.batch": (wakes.itself,), "jobs.batch": (wakes.owner("cronjobs.batch"),)},
    ),
    Step(
        "job",
        "job-controller",
        "jobs.batch",
        "controllers.job:step",
        {"jobs.batch": (wakes.itself,), "pods": (wakes.owner("jobs.batch"),)},
    ),
    Step(
        "job-release",
        "job-controller",
        "pods",
        "controllers.job:release",
        {"pods": (wakes.tracked_by_job,), "jobs.batch": (wakes.dependents,)},
    ),
    Step(
        "ttlafterfinished",
        "ttl-after-finished-controller",
        "jobs.batch",
        "controllers.ttl_after_finished:step",
        {"jobs.batch": (wakes.itself,)},
    ),
    Step(
        "ephemeral-volume",
        "ephemeral_volume",
        "pods",
        "controllers.storage.ephemeral:step",
        {"pods": (wakes.itself_if_ephemeral,), "persistentvolumeclaims": (wakes.owner("pods"),)},
    ),
    Step(
        "resourceclaim-pods",
        "resource_claim",
        "pods",
        "controllers.resource_claim:pod_step",
        {
            "pods": (wakes.itself_if_claiming,),
            "resourceclaims.resource.k8s.io": (wakes.owner("pods"), wakes.pods_to_reserve_for),
        },
    ),
    Step(
        "resourceclaim",
        "resource_claim",
        "resourceclaims.resource.k8s.io",
        "controllers.resource_claim:claim_step",
        {"resourceclaims.resource.k8s.io": (wakes.itself,), "pods": (wakes.device_claims_of_done_pod,)},
    ),
    Step(
        "volume-binder",
        "persistentvolume-controller",
        "persistentvolumes",
        "controllers.storage.binder:volume_step",
        {"persistentvolumes": (wakes.itself,), "persistentvolumeclaims": (wakes.volume_of_claim,)},
    ),
    Step(
        "claim-binder",
        "persistentvolume-controller",
        "persistentvolumeclaims",
        "controllers.storage.binder:claim_step",
        {
            "persistentvolumeclaims": (wakes.itself,),
            "persistentvolumes": (wakes.unbound_claims, wakes.claim_of_volume),
            "storageclasses.storage.k8s.io": (wakes.unbound_claims,),
        },
    ),
    Step(
        "volume-provisioner",
        "external-provisioner",
        "persistentvolumeclaims",
        "controllers.storage.provisioner:step",
        {"persistentvolumeclaims": (wakes.itself,), "storageclasses.storage.k8s.io": (wakes.unbound_claims,)},
    ),
    Step(
        "volume-deleter",
        "external-provisioner",
        "persistentvolumes",
        "controllers.storage.provisioner:delete_step",
        {"persistentvolumes": (wakes.itself,)},
    ),
    Step(
        "volume-expand",
        "volume_expand",
        "persistentvolumeclaims",
        "controllers.storage.provisioner:expand_step",
        {"persistentvolumeclaims": (wakes.itself,)},
    ),
    Step(
        "volume-resizer",
        "external-resizer",
        "persistentvolumeclaims",
        "controllers.storage.provisioner:resize_step",
        {"persistentvolumeclaims": (wakes.itself,)},
    ),
    Step(
        "pvc-protection",
        "pvc-protection-controller",
        "persistentvolumeclaims",
        "controllers.storage.protection:claim_step",
        {"persistentvolumeclaims": (wakes.itself,), "pods": (wakes.claims_of_gone_pod,)},
    ),
    Step(
        "pv-protection",
        "pv-protection-controller",
        "persistentvolumes",
        "controllers.storage.protection:volume_step",
        {"persistentvolumes": (wakes.itself,)},
    ),
    Step(
        "vac-protection",
        "volumeattributesclass-protection-controller",
        "volumeattributesclasses.storage.k8s.io",
        "controllers.storage.protection:attributes_step",
        {
            "volumeattributesclasses.storage.k8s.io": (wakes.itself,),
            "persistentvolumeclaims": (wakes.attributes_no_longer_named,),
            "persistentvolumes": (wakes.attributes_no_longer_named,),
        },
    ),
    Step(
        "disruption",
        "controllermanager",
        "poddisruptionbudgets.policy",
        "controllers.disruption:step",
        {
            "poddisruptionbudgets.policy": (wakes.itself,),
            "pods": (wakes.backing("poddisruptionbudgets.policy"),),
            "deployments.apps": (wakes.budgets_if_scaled,),
            "replicasets.apps": (wakes.budgets_if_scaled,),
            "replicationcontrollers": (wakes.budgets_if_scaled,),
            "statefulsets.apps": (wakes.budgets_if_scaled,),
        },
        sees_itself=False,
    ),
    Step(
        "horizontalpodautoscaler",
        "horizontal-pod-autoscaler",
        "horizontalpodautoscalers.autoscaling",
        "autoscaling.hpa:step",
        {"horizontalpodautoscalers.autoscaling": (wakes.itself,)},
        sees_itself=False,
    ),
    Step(
        "vpa-recommender",
        "vpa-recommender",
        "verticalpodautoscalers.autoscaling.k8s.io",
        "autoscaling.vpa_recommender:step",
        {"verticalpodautoscalers.autoscaling.k8s.io": (wakes.itself,)},
        sees_itself=False,
    ),
    Step(
        "vpa-updater",
        "vpa-updater",
        "verticalpodautoscalers.autoscaling.k8s.io",
        "autoscaling.vpa_updater:step",
        {"verticalpodautoscalers.autoscaling.k8s.io": (wakes.itself,)},
        sees_itself=False,
    ),
    Step(
        "vpa-checkpoints",
        "vpa-recommender",
        "verticalpodautoscalercheckpoints.autoscaling.k8s.io",
        "autoscaling.vpa_recommender:sweep",
        {
            "verticalpodautoscalercheckpoints.autoscaling.k8s.io": (wakes.itself,),
            "verticalpodautoscalers.autoscaling.k8s.io": (wakes.checkpoints_of_gone_vpa,),
        },
    ),
    Step(
        "scheduler",
        "default-scheduler",
        "pods",
        "scheduler.step:step",
        {
            "pods": (wakes.itself_if_unassigned, wakes.refused_if_helped),
            "nodes": (wakes.refused_if_helped,),
            "namespaces": (wakes.refused_if_helped,),
            "persistentvolumeclaims": (wakes.refused_if_helped,),
            "persistentvolumes": (wakes.refused_if_helped,),
            "storageclasses.storage.k8s.io": (wakes.refused_if_helped,),
            "csinodes.storage.k8s.io": (wakes.refused_if_helped,),
            "resourceclaims.resource.k8s.io": (wakes.pending_with_claims,),
            "configmaps": (wakes.unassigned_if_scheduler_changed,),
        },
        order="scheduler.waiting:place_in_line",
    ),
    Step(
        "node-group",
        "cloud-provider",
        "nodegroups.sim.kpy.dev",
        "autoscaling.node_groups:step",
        {"nodegroups.sim.kpy.dev": (wakes.itself,), "nodes": (wakes.group_of_gone_node,)},
        sees_itself=False,
    ),
    Step(
        "cluster-autoscaler",
        "cluster-autoscaler",
        "nodegroups.sim.kpy.dev",
        "autoscaling.cluster_autoscaler:step",
        {
            "nodegroups.sim.kpy.dev": (wakes.first_node_group,),
            "pods": (wakes.first_node_group_if_moved,),
            "nodes": (wakes.first_node_group_if_node_changed,),
            "poddisruptionbudgets.policy": (wakes.first_node_group,),
        },
        sees_itself=False,
    ),
    Step(
        "faults",
        "fault-injector",
        "faults.sim.kpy.dev",
        "kubelet.faults:step",
        {"faults.sim.kpy.dev": (wakes.itself,)},
        sees_itself=False,
    ),
    Step(
        "kubelet",
        "kubelet",
        "pods",
        "kubelet.pod:step",
        {
            "pods": (wakes.itself_if_assigned,),
            "nodes": (wakes.pods_on_new_node, wakes.pods_if_rebooted),
            "configmaps": (wakes.waiting_pods_in_namespace,),
            "secrets": (wakes.waiting_pods_in_namespace,),
            "persistentvolumeclaims": (wakes.waiting_pods_in_namespace,),
            "services": (wakes.pods_waiting_for_service, wakes.pods_that_ask),  # init containers that look a name up
            "endpointslices.discovery.k8s.io": (wakes.pods_that_ask,),
            "networkpolicies.networking.k8s.io": (wakes.pods_that_ask,),
            "programs.sim.kpy.dev": (wakes.all_in_namespace("pods"), wakes.pods_that_ask),
            "faults.sim.kpy.dev": (wakes.pods_on_faulty_node, wakes.pods_that_ask),
        },
        sees_itself=False,
    ),
    Step(
        "kubelet-node",
        "kubelet",
        "nodes",
        "kubelet.node:step",
        {
            "nodes": (wakes.itself,),
            "faults.sim.kpy.dev": (wakes.faulty_node,),
            "pods": (wakes.node_of_gone_mirror,),
        },
        sees_itself=False,
    ),
    Step(
        "endpointslice",
        "endpointslice-controller",
        "services",
        "controllers.endpointslice:step",
        {
            "services": (wakes.itself,),
            "pods": (wakes.backing("services"),),
            "endpointslices.discovery.k8s.io": (wakes.service_of_slice,),
            "nodes": (wakes.hinted_services_if_node_changed,),
        },
        sees_itself=False,
    ),
    Step(
        "endpoints",
        "endpoint-controller",
        "services",
        "controllers.endpoints:step",
        {
            "services": (wakes.itself,),
            "pods": (wakes.backing("services"),),
            "endpoints": (wakes.service_of_slice,),
        },
        sees_itself=False,
    ),
    Step(
        "endpoints-clean-up",
        "endpoint-controller",
        "endpoints",
        "controllers.endpoints:clean_up",
        {"endpoints": (wakes.itself,), "services": (wakes.endpoints_of_service,)},
    ),
    Step(
        "service-load-balancer",
        "service-controller",
        "services",
        "controllers.service_load_balancer:step",
        {"services": (wakes.load_balancer,), "configmaps": (wakes.services_if_cloud_changed,)},
        sees_itself=False,
    ),
    Step(
        "ingress",
        "ingress-controller",
        "ingresses.networking.k8s.io",
        "controllers.ingress:step",
        {
            "ingresses.networking.k8s.io": (wakes.itself,),
            "ingressclasses.networking.k8s.io": (wakes.all_of("ingresses.networking.k8s.io"),),
        },
    ),
    Step(
        "gateway",
        "gateway-controller",
        "gateways.gateway.networking.k8s.io",
        "controllers.ingress:gateway_step",
        {
            "gateways.gateway.networking.k8s.io": (wakes.itself,),
            "gatewayclasses.gateway.networking.k8s.io": (wakes.all_of("gateways.gateway.networking.k8s.io"),),
            "httproutes.gateway.networking.k8s.io": (wakes.all_of("gateways.gateway.networking.k8s.io"),),
        },
    ),
    Step(
        "httproute",
        "gateway-controller",
        "httproutes.gateway.networking.k8s.io",
        "controllers.ingress:route_step",
        {
            "httproutes.gateway.networking.k8s.io": (wakes.itself,),
            "gateways.gateway.networking.k8s.io": (wakes.all_of("httproutes.gateway.networking.k8s.io"),),
            "services": (wakes.all_if_came_or_went("httproutes.gateway.networking.k8s.io"),),
        },
    ),
    Step(
        "traffic",
        "traffic",
        "traffics.sim.kpy.dev",
        "network.traffic:step",
        {
            "traffics.sim.kpy.dev": (wakes.itself,),
            "endpointslices.discovery.k8s.io": (wakes.all_of(TRAFFIC),),
            "services": (wakes.all_of(TRAFFIC),),
            "pods": (wakes.traffic_if_pod_changed,),
            "networkpolicies.networking.k8s.io": (wakes.all_of(TRAFFIC),),
            "ingresses.networking.k8s.io": (wakes.all_of(TRAFFIC),),
            "gateways.gateway.networking.k8s.io": (wakes.all_of(TRAFFIC),),
            "httproutes.gateway.networking.k8s.io": (wakes.all_of(TRAFFIC),),
            "programs.sim.kpy.dev": (wakes.all_of(TRAFFIC),),
            "faults.sim.kpy.dev": (wakes.all_of(TRAFFIC),),
            "nodes": (wakes.traffic_if_node_changed,),
        },
        sees_itself=False,
    ),
    Step(
        "endpointslicemirroring",
        "endpointslicemirroring-controller",
        "endpoints",
        "controllers.endpointslice_mirroring:step",
        {
            "endpoints": (wakes.itself,),
            "services": (wakes.endpoints_of_any_service,),
            "endpointslices.discovery.k8s.io": (wakes.owner("endpoints"),),
        },
    ),
    Step(
        "nodelifecycle",
        "node-controller",
        "nodes",
        "controllers.node_lifecycle:step",
        {
            "nodes": (wakes.itself, wakes.nodes_not_ready),
            "faults.sim.kpy.dev": (wakes.faulty_node,),
            "pods": (wakes.node_if_not_ready,),
        },
    ),
    Step(
        "ttl",
        "ttl-controller",
        "nodes",
        "controllers.node_ttl:step",
        {"nodes": (wakes.itself,)},
        sees_itself=False,
    ),
    Step(
        "noderemoval",
        "node-controller",
        "nodes",
        "controllers.node_lifecycle:removed",
        {"nodes": (wakes.itself_if_gone,)},
        of_the_gone=True,
    ),
    Step(
        "tainteviction",
        "taint-eviction-controller",
        "pods",
        "controllers.taint_eviction:step",
        {"pods": (wakes.placed_badly_or_leaving,), "nodes": (wakes.pods_if_taints_changed,)},
        sees_itself=False,
    ),
    Step(
        "podgc",
        "pod-garbage-collector",
        "pods",
        "controllers.pod_gc:step",
        {"pods": (wakes.placed_badly_or_leaving,), "nodes": (wakes.pods_if_taints_changed,)},
        sees_itself=False,
    ),
    Step(
        "podgc-finished",
        "pod-garbage-collector",
        "namespaces",
        "controllers.pod_gc:finished_step",
        {"pods": (wakes.default_namespace_if_ended,)},
    ),
    Step(
        "garbage-collector",
        "generic-garbage-collector",
        "*",
        "controllers.garbage_collector:step",
        {"*": (wakes.collectable, wakes.dependents, wakes.owners)},
    ),
    # After the garbage collector, which knows only kinds that are served: what the last objects owned goes first.
    Step(
        "definition-cleanup",
        "kube-apiserver",
        "customresourcedefinitions.apiextensions.k8s.io",
        "controllers.definition_cleanup:step",
        {
            "customresourcedefinitions.apiextensions.k8s.io": (wakes.itself,),
            "*": (wakes.its_terminating_definition,),
        },
    ),
    Step(
        "resourcequota",
        "resourcequota-controller",
        "resourcequotas",
        "controllers.resource_quota:step",
        {"resourcequotas": (wakes.itself,), "*": (wakes.quotas_of_its_namespace,)},
    ),
)
