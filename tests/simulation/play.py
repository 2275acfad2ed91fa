"""Commands from a seed, played in a process of its own. Prints two hashes as JSON: `digest` of the state at the end, and
`log` of the log without its causes (a sweep looks at everything, for no cause).

    python -m tests.simulation.play FOLDER '{"seed": 1, "length": 25, "sweep": false, "sessions": 1, "day": 0}'

`commands` (a list) may stand in place of `seed` and `length`. `sessions`: after how many commands the file is closed and
opened again (0: never). `day`: by how many days the clock on the wall is wrong. `long`: nothing takes a short road.
"""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster


def play(folder: str, words: dict[str, Any]) -> dict[str, Any]:
    from minikube_py.cluster import MEMORY_EPOCH_S, Cluster
    from tests.simulation import workload

    path = f"{folder}/cluster.db"
    seed = words.get("seed", 1)
    commands = words.get("commands") or workload.commands(seed, words["length"])
    cluster = _swept(Cluster.make(path, name="c", epoch_s=MEMORY_EPOCH_S, nodes=3, seed=seed, cpu="2"), words)
    for number, command in enumerate(commands, 1):
        workload.carry_out(cluster, tuple(command))
        if words.get("sessions") and number % words["sessions"] == 0:
            cluster.close()
            cluster = _swept(Cluster.open(path), words)
    cluster.reconcile(timeout_s=3600)
    rows = cluster.store.connection.execute(
        "SELECT revision, time_s, verb, resource, namespace, name, actor, previous, before FROM log ORDER BY revision"
    )
    log = sha256(json.dumps(rows.fetchall()).encode()).hexdigest()
    found = {"digest": cluster.digest(), "log": log, "python": sys.version.split()[0]}
    cluster.close()
    return found


def _swept(cluster: Cluster, words: dict[str, Any]) -> Cluster:
    """With `sweep`, the cluster's engine looks at every key of every step in each pass."""
    if words.get("sweep"):
        from minikube_py.engine.engine import Engine

        cluster._engine = Engine(cluster.server, sweep=True)
    return cluster


def _go_the_long_way() -> None:
    """No pod is made in a mould or lives as its twin does, and everybody is told of every change of a pod."""
    from minikube_py.api import facets
    from minikube_py.apiserver.verbs import ApiServer
    from minikube_py.kubelet.twins import Twins

    for place, name, answer in (
        (Twins, "key_of", None),
        (ApiServer, "_is_repeatable", False),
        (facets, "of_change", facets.ALL & ~facets.OF_OTHERS),
    ):
        assert hasattr(place, name)
        setattr(place, name, lambda *words, answer=answer: answer)


def _move_wall_clock(days: int) -> None:
    right = time.time
    time.time = lambda: right() + days * 86_400


if __name__ == "__main__":
    told = json.loads(sys.argv[2])
    _move_wall_clock(told.get("day", 0))
    if told.get("long"):
        _go_the_long_way()
    print(json.dumps(play(sys.argv[1], told)))
