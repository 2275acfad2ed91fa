"""`kubectl create namespace|serviceaccount|quota|poddisruptionbudget|priorityclass`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]


def namespace(call: Call) -> None:
    name = create.one_name(call)
    create.generated(
        call, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}, "spec": {}, "status": {}}
    )


def service_account(call: Call) -> None:
    name = create.one_name(call)
    create.generated(
        call,
        {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": name}},
        "failed to create serviceaccount: ",
    )


def quota(call: Call) -> None:
    name = create.one_name(call)
    spec: Object = {}
    if call.text("hard"):
        spec["hard"] = resources(call.text("hard"), "Invalid argument syntax")
    if call.text("scopes"):
        spec["scopes"] = call.text("scopes").split(",")
        if "" in spec["scopes"]:
            raise UsageError('invalid resource quota scope ""')
    create.generated(
        call,
        {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec, "status": {}},
        "failed to create quota: ",
    )


def resources(text: str, complaint: str = "invalid argument syntax") -> dict[str, str]:
    """'cpu=1,memory=1Gi' as a resource list. Raises UsageError."""
    from minikube_py.base import quantity

    found = {}
    for statement in text.split(","):
        words = statement.split("=")
        if len(words) != 2:
            raise UsageError(f"{complaint} {statement}, expected <resource>=<value>")
        try:
            found[words[0]] = quantity.canonical(words[1])
        except ValueError as error:
            raise UsageError(str(error)) from None
    return found


def disruption_budget(call: Call) -> None:
    name = create.one_name(call)
    least, most = call.text("min-available"), call.text("max-unavailable")
    if not call.text("selector"):
        raise UsageError("a selector must be specified")
    if not least and not most:
        raise UsageError("one of min-available or max-unavailable must be specified")
    if least and most:
        raise UsageError("min-available and max-unavailable cannot be both specified")
    amount = (
        {"minAvailable": _amount(least, "min-available")}
        if least
        else {"maxUnavailable": _amount(most, "max-unavailable")}
    )
    create.generated(
        call,
        {
            "kind": "PodDisruptionBudget",
            "apiVersion": "policy/v1",
            "metadata": {"name": name},
            "spec": {**amount, "selector": _selector(call.text("selector"))},
            "status": {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0},
        },
        "failed to create poddisruptionbudgets: ",
    )


def _amount(text: str, flag: str) -> int | str:
    import re

    if not re.fullmatch(r"[0-9]+%?", text):
        raise UsageError(f"invalid format specified for {flag}")
    return text if text.endswith("%") else int(text)


def _selector(text: str) -> Object:
    """'app=x,tier in (a,b)' as a LabelSelector."""
    from minikube_py.cli import writing

    labels, expressions = writing.label_selector(text)
    return {
        **({"matchLabels": labels} if labels else {}),
        **({"matchExpressions": expressions} if expressions else {}),
    }


def priority_class(call: Call) -> None:
    name = create.one_name(call)
    obj: Object = {
        "kind": "PriorityClass",
        "apiVersion": "scheduling.k8s.io/v1",
        "metadata": {"name": name},
        "value": call.number("value"),
    }
    if call.on("global-default"):
        obj["globalDefault"] = True
    if call.text("description"):
        obj["description"] = call.text("description")
    obj["preemptionPolicy"] = call.text("preemption-policy")
    create.generated(call, obj, "failed to create priorityclass: ")
