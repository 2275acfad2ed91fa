"""A kopf operator: for each Site a Deployment, its state in the Site's status, and a ConfigMap that tells of its end."""

from __future__ import annotations

import kopf
import kubernetes

kubernetes.config.load_kube_config()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: object) -> None:
    settings.persistence.finalizer = "example.com/operator"
    settings.posting.enabled = True


@kopf.on.create("example.com", "v1", "sites")
@kopf.on.update("example.com", "v1", "sites", field="spec")
def deploy(spec: kopf.Spec, body: kopf.Body, name: str, namespace: str, **_: object) -> dict[str, object]:
    labels = {"site": name}
    container = {"name": "main", "image": spec["image"]}
    wanted = {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": spec["replicas"],
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    kopf.adopt(wanted)
    apps = kubernetes.client.AppsV1Api()
    try:
        apps.create_namespaced_deployment(namespace, wanted)
    except kubernetes.client.ApiException as error:
        if error.status != 409:
            raise
        apps.patch_namespaced_deployment(name, namespace, wanted)
    kopf.info(body, reason="Deployed", message=f"{spec['replicas']} replicas of {spec['image']}")
    return {"replicas": spec["replicas"]}


@kopf.on.delete("example.com", "v1", "sites")
def farewell(name: str, namespace: str, **_: object) -> None:
    body = {"metadata": {"name": f"{name}-was-here"}}
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, body)
