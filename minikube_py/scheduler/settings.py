"""How a cluster's scheduler is configured: its profiles, and how long refused pods rest.

A KubeSchedulerConfiguration is in the ConfigMap kube-system/kube-scheduler under `config.yaml`
(`kpy cluster start --scheduler-config FILE`); without it there is the default profile alone. As kube-scheduler would not start
with a wrong one, every pod is left alone until it is mended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base.errors import KpyError
from minikube_py.scheduler.profile import PROFILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minikube_py.api.types import Object, View
    from minikube_py.scheduler.framework import Profile

WHERE, FILE = Key("configmaps", "kube-system", "kube-scheduler"), "config.yaml"
DEFAULT_NAME = "default-scheduler"


class ConfigurationError(ValueError):
    """What is wrong with a configuration, in kube-scheduler's words."""


class Settings(NamedTuple):
    """`profiles` by schedulerName. Back-off in seconds: doubles from the first to the longest."""

    profiles: Mapping[str, Profile]
    back_off_s: int = 1
    back_off_max_s: int = 10

    def back_off_end_s(self, memory: Object) -> int:
        """Until when a refused pod lets others go first: by default 1, 2, 4, 8, then 10 s after its last refusal."""
        if not memory:
            return 0
        at_s: int = memory["at_s"]
        attempts: int = memory["attempts"]
        return at_s + min(self.back_off_s << min(attempts - 1, 30), self.back_off_max_s)


DEFAULT = Settings({DEFAULT_NAME: PROFILE})
NOTHING_RUNS = Settings({})


def settings_of(view: View) -> Settings:
    """The settings of a cluster; no profile at all while its configuration is wrong."""
    found = view.get(WHERE)
    text = (found.get("data") or {}).get(FILE) if found is not None else None
    if text is None:
        return DEFAULT
    from minikube_py.scheduler import configuration

    try:
        return configuration.read(text)
    except (ConfigurationError, KpyError):
        return NOTHING_RUNS


def scheduler_of(pod: Object) -> str:
    """The name of the profile that a pod asks for."""
    return pod["spec"].get("schedulerName") or DEFAULT_NAME
