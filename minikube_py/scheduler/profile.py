"""PROFILE: the plugins of the default scheduler, in its order, with its weights (pkg/scheduler/apis/config/v1/default_plugins.go)."""

from __future__ import annotations

from minikube_py.scheduler.framework import Profile, Scored
from minikube_py.scheduler.plugins.image_locality import ImageLocality
from minikube_py.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from minikube_py.scheduler.plugins.node_affinity import NodeAffinity
from minikube_py.scheduler.plugins.node_name import NodeName
from minikube_py.scheduler.plugins.node_ports import NodePorts
from minikube_py.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from minikube_py.scheduler.plugins.node_resources_fit import NodeResourcesFit
from minikube_py.scheduler.plugins.node_unschedulable import NodeUnschedulable
from minikube_py.scheduler.plugins.pod_topology_spread import PodTopologySpread
from minikube_py.scheduler.plugins.scheduling_gates import SchedulingGates
from minikube_py.scheduler.plugins.taint_toleration import TaintToleration
from minikube_py.scheduler.plugins.volumes import VolumeBinding, VolumeRestrictions, VolumeZone

_TAINTS, _AFFINITY, _FIT = TaintToleration(), NodeAffinity(), NodeResourcesFit()
_SPREAD, _PODS = PodTopologySpread(), InterPodAffinity()

PROFILE = Profile(
    gates=(SchedulingGates(),),
    filters=(
        NodeUnschedulable(),
        NodeName(),
        _TAINTS,
        _AFFINITY,
        NodePorts(),
        _FIT,
        VolumeRestrictions(),
        VolumeBinding(),
        VolumeZone(),
        _SPREAD,
        _PODS,
    ),
    scores=(
        Scored(_TAINTS, 3),
        Scored(_AFFINITY, 2),
        Scored(_FIT, 1),
        Scored(_SPREAD, 2),
        Scored(_PODS, 2),
        Scored(NodeResourcesBalancedAllocation(), 1),
        Scored(ImageLocality(), 1),
    ),
)
