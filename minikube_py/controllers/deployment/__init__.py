"""The Deployment controller, split by the verbs of its domain as the real one is.

- `controller`: one sync from its beginning to its end; `step` is what the engine runs.
- `sync`: find or create the new ReplicaSet, scale ReplicaSets, delete old ones, count the status.
- `rolling`, `recreate`: the two strategies.
- `progress`: the conditions Progressing and ReplicaFailure, and the deadline.
- `sizes`, `revisions`: pure arithmetic over ReplicaSets, and their annotations.
"""

from __future__ import annotations

from minikube_py.controllers.deployment.controller import step

__all__ = ["step"]
