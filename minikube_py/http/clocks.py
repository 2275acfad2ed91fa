"""The simulator's clock over HTTP: GET /apis/sim.kpy.dev/v1alpha1/clock tells it, a POST lets time pass or changes what it does.

{"for": "1h"}         that much virtual time passes now
{"settle": true}      time jumps until nothing is left to do
{"mode": "x60"}       virtual, manual, wall or xN, from now on
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base import duration, errors
from minikube_py.http.answers import Accept, Answer, answer

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.http.requests import Request
    from minikube_py.http.world import World

VERSION = "sim.kpy.dev/v1alpha1"
FIELDS = ("apiVersion", "for", "kind", "metadata", "mode", "settle")
LONGEST_S = 100 * 365 * 86_400


def handle(world: World, request: Request) -> Answer:
    if request.method in ("GET", "HEAD"):
        return answer(told(world), Accept())
    if request.method not in ("PATCH", "POST", "PUT"):
        raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
    wanted = request._replace(headers={**request.headers, "content-type": "application/json"}).object
    unknown = [name for name in wanted if name not in FIELDS]
    if unknown:
        raise errors.BadRequest(
            f'Clock in version "v1alpha1" cannot be handled as a Clock: unknown field "{unknown[0]}"'
        )
    for_s = _seconds(wanted["for"]) if "for" in wanted else None
    if "mode" in wanted:
        world.set_mode(str(wanted["mode"]))
    settled = None
    if for_s is not None:
        settled = world.cluster.reconcile(for_s=for_s).settled
    if wanted.get("settle"):
        settled = world.cluster.reconcile().settled
    world.wrote()
    return answer(told(world, settled), Accept())


def _seconds(text: object) -> int:
    """A duration ('90s', '1h30m', or seconds). Raises BadRequest."""
    try:
        found = text if type(text) is int else int(text) if str(text).isdigit() else int(duration.parse_go(str(text)))  # type: ignore[call-overload]
    except ValueError as error:
        raise errors.BadRequest(str(error)) from None
    if not 0 <= found <= LONGEST_S:
        raise errors.BadRequest(f"time passes forwards, by at most {LONGEST_S} seconds")
    return int(found)


def told(world: World, settled: bool | None = None) -> Object:
    """The Clock object. `status.settled` is there after time has passed."""
    clock = world.cluster.clock
    status: Object = {"now": clock.timestamp, "seconds": clock.now_s}
    if settled is not None:
        status["settled"] = settled
    if world.problem:
        status["problem"] = world.problem
    return {
        "kind": "Clock",
        "apiVersion": VERSION,
        "metadata": {"name": "clock"},
        "spec": {"mode": world.mode},
        "status": status,
    }
