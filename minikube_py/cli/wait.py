"""`kubectl wait` (pkg/cmd/wait/wait.go); virtual time passes until the conditions hold or the timeout is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, NotFound, UsageError
from minikube_py.cli import conditions, failures, select, show
from minikube_py.cli.rollout_status import current

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.conditions import Check
    from minikube_py.cli.select import Item


def run(call: Call) -> None:
    wanted = call.list("for")
    checks = [(text, conditions.parse(text)) for text in wanted]
    if not checks:
        raise UsageError("unrecognized condition: []")
    timeout_s = call.seconds("timeout")
    limit_s = call.now_s + (int(timeout_s) if timeout_s >= 0 else 7 * 86400)
    lowered = [text.lower() for text in wanted]
    if "create" in lowered:
        _await_creation(call, limit_s)
    found = _find(call)
    errors = [error for error in found.errors if not ("delete" in lowered and isinstance(error, NotFound))]
    if not found.items and not errors:
        if "delete" in lowered:
            return
        raise UsageError("no matching resources found")
    for item in found.items:
        try:
            _await(call, item, checks, limit_s)
        except KpyError as error:
            errors.append(error)
    failures.raise_all(errors)


def _find(call: Call) -> select.Found:
    return select.find(
        call,
        every=call.on("all"),
        all_namespaces=call.on("all-namespaces"),
        labels=call.text("selector"),
        fields=call.text("field-selector"),
    )


def _await(call: Call, item: Item, checks: list[tuple[str, Check]], limit_s: int) -> None:
    for _, check in checks:
        last = item.object

        def holds(check: Check = check) -> bool:
            nonlocal last
            now = current(call, item)
            last = now or last
            gone = now is None or now["metadata"].get("uid") != item.object["metadata"].get("uid")
            return check(None if gone else now)

        if not holds() and not call.cluster.run_until(holds, max(limit_s - call.now_s, 0)):
            raise UsageError(f"timed out waiting for the condition on {item.kind.plural}/{item.name}")
        show.result(call, item._replace(object=last), "condition met", suffix="")


def _await_creation(call: Call, limit_s: int) -> None:
    """--for=create waits for the objects first of all."""

    def there() -> bool:
        found = _find(call)
        others = [error for error in found.errors if not isinstance(error, NotFound)]
        failures.raise_all(others)
        return bool(found.items) and not found.errors

    if not there() and not call.cluster.run_until(there, max(limit_s - call.now_s, 0)):
        raise UsageError("timed out waiting for the condition")
