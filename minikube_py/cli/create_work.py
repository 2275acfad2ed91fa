"""`kubectl create deployment|job|cronjob`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]


def _name_and_command(call: Call) -> tuple[str, list[str]]:
    """NAME, and the words behind `--` as a command."""
    words = call.args if call.parsed.dash < 0 else call.args[: call.parsed.dash]
    if len(words) != 1:
        raise call.usage(f"exactly one NAME is required, got {len(words)}")
    return words[0], [] if call.parsed.dash < 0 else call.args[call.parsed.dash :]


def container_name(call: Call, image: str, position: int) -> str:
    """The last part of an image without tag and digest: 'docker.io/library/nginx:1.27' is 'nginx'. A name that has to be
    changed ('a_b') gets a suffix, lest it be another's."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    if not {"_", "."} & set(name):
        return name
    plain = name.replace("_", "-").replace(".", "-")
    return f"{plain}-{call.cluster.clock.suffix('container', image, position)}"


def deployment(call: Call) -> None:
    name, command = _name_and_command(call)
    images, port, replicas = call.list("image"), call.number("port"), call.number("replicas")
    if len(images) > 1 and command:
        raise UsageError("cannot specify multiple --image options and command")
    containers: list[Object] = []
    for image in images:
        container: Object = {"name": container_name(call, image, len(containers)), "image": image}
        if command:
            container["command"] = command
        if port >= 0 and len(containers) == 0:
            container["ports"] = [{"containerPort": port}]
        containers.append({**container, "resources": {}})
    labels = {"app": name}
    create.generated(
        call,
        {
            "kind": "Deployment",
            "apiVersion": "apps/v1",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
                "strategy": {},
            },
            "status": {},
        },
        "failed to create deployment: ",
    )


def job(call: Call) -> None:
    name, command = _name_and_command(call)
    image, origin = call.text("image"), call.text("from")
    if bool(image) == bool(origin):
        raise UsageError("either --image or --from must be specified")
    if origin and command:
        raise UsageError("cannot specify --from and command")
    create.generated(
        call, _job_from(call, name, origin) if origin else _job(name, image, command), "failed to create job: "
    )


def _job(name: str, image: str, command: list[str]) -> Object:
    return {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {}, "spec": _spec(name, image, command, "Never")}},
        "status": {},
    }


def _spec(name: str, image: str, command: list[str], restart: str) -> Object:
    words = {"command": command} if command else {}
    return {"containers": [{"name": name, "image": image, **words, "resources": {}}], "restartPolicy": restart}


def _job_from(call: Call, name: str, origin: str) -> Object:
    """A Job out of a CronJob's template, as `--from=cronjob/tick` makes it: owned by it, and marked as manual."""
    found = select.find(call, [origin])
    if found.errors:
        raise found.errors[0]
    cron = found.items[0].object
    if cron["kind"] != "CronJob":
        raise UsageError("from must be an existing cronjob")
    template = cron["spec"]["jobTemplate"]
    metadata = template.get("metadata") or {}
    owner = {
        "apiVersion": "batch/v1", "kind": "CronJob", "name": cron["metadata"]["name"], "uid": cron["metadata"]["uid"],
        "controller": True,
    }  # fmt: skip
    annotations = {"cronjob.kubernetes.io/instantiate": "manual", **(metadata.get("annotations") or {})}
    labels = {"labels": metadata["labels"]} if metadata.get("labels") else {}
    return {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"name": name, **labels, "annotations": annotations, "ownerReferences": [owner]},
        "spec": template["spec"],
        "status": {},
    }


def cron_job(call: Call) -> None:
    name, command = _name_and_command(call)
    restart = call.text("restart") or "OnFailure"
    spec = _spec(name, call.text("image"), command, restart)
    create.generated(
        call,
        {
            "kind": "CronJob",
            "apiVersion": "batch/v1",
            "metadata": {"name": name},
            "spec": {
                "schedule": call.text("schedule"),
                "jobTemplate": {"metadata": {"name": name}, "spec": {"template": {"metadata": {}, "spec": spec}}},
            },
            "status": {},
        },
        "failed to create cronjob: ",
    )
