"""PROFILE: the plugins of the default scheduler, in its order, with its weights (pkg/scheduler/apis/config/v1/default_plugins.go).

`profile(SchedulerConfiguration(...))` makes one with other arguments, as a KubeSchedulerConfiguration would
(pkg/scheduler/apis/config/types_pluginargs.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.scheduler.framework import Profile, Scored
from minikube_py.scheduler.plugins.image_locality import ImageLocality
from minikube_py.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from minikube_py.scheduler.plugins.node_affinity import NodeAffinity
from minikube_py.scheduler.plugins.node_name import NodeName
from minikube_py.scheduler.plugins.node_ports import NodePorts
from minikube_py.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from minikube_py.scheduler.plugins.node_resources_fit import NodeResourcesFit, Strategy
from minikube_py.scheduler.plugins.node_unschedulable import NodeUnschedulable
from minikube_py.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from minikube_py.scheduler.plugins.pod_topology_spread import PodTopologySpread
from minikube_py.scheduler.plugins.scheduling_gates import SchedulingGates
from minikube_py.scheduler.plugins.taint_toleration import TaintToleration
from minikube_py.scheduler.plugins.volumes import VolumeBinding, VolumeRestrictions, VolumeZone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minikube_py.api.types import Object


class SchedulerConfiguration(NamedTuple):
    """The arguments of the plugins.

    `scoring`: NodeResourcesFitArgs.scoringStrategy. `added_affinity`: NodeAffinityArgs.addedAffinity, a node affinity that every
    pod is given on top of its own. `default_constraints`: PodTopologySpreadArgs.defaultConstraints (maxSkew, topologyKey,
    whenUnsatisfiable) for pods without constraints of their own; None: the system's defaults.
    """

    scoring: Strategy = Strategy()
    added_affinity: Object | None = None
    default_constraints: Sequence[Object] | None = None


def profile(configuration: SchedulerConfiguration) -> Profile:
    """The default profile with these arguments."""
    taints, affinity = TaintToleration(), NodeAffinity(configuration.added_affinity)
    fit, pods = NodeResourcesFit(configuration.scoring), InterPodAffinity()
    spread = PodTopologySpread(configuration.default_constraints)
    return Profile(
        gates=(SchedulingGates(),),
        filters=(
            NodeUnschedulable(),
            NodeName(),
            taints,
            affinity,
            NodePorts(),
            fit,
            VolumeRestrictions(),
            NodeVolumeLimits(),
            VolumeBinding(),
            VolumeZone(),
            spread,
            pods,
        ),
        scores=(
            Scored(taints, 3),
            Scored(affinity, 2),
            Scored(fit, 1),
            Scored(spread, 2),
            Scored(pods, 2),
            Scored(NodeResourcesBalancedAllocation(), 1),
            Scored(ImageLocality(), 1),
        ),
    )


PROFILE = profile(SchedulerConfiguration())
