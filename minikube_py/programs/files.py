"""The files that the kubelet puts into a container: /etc/hosts, /etc/resolv.conf and what its volumes hold.

Sources: pkg/kubelet/kubelet_pods.go (managedHostsFileContent), pkg/kubelet/network/dns/dns.go, pkg/volume/{configmap,
secret,downwardapi,projected}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import families
from minikube_py.programs import environment

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

DNS = "10.96.0.10"
OUTSIDE_DNS = "192.168.10.254"  # what the machines themselves ask
HOSTS = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def hosts(pod: Object) -> str:
    """/etc/hosts of a pod with its address, its name and its host aliases."""
    spec, meta = pod["spec"], pod["metadata"]
    name = spec.get("hostname") or meta.get("name", "")
    text = HOSTS
    for address in families.pod_addresses(pod):
        if spec.get("subdomain"):
            text += f"{address}\t{name}.{spec['subdomain']}.{meta.get('namespace', '')}.svc.cluster.local\t{name}\n"
        else:
            text += f"{address}\t{name}\n"
    aliases = spec.get("hostAliases") or ()
    if aliases:
        text += "\n# Entries added by HostAliases.\n"
        text += "".join("\t".join((alias["ip"], *(alias.get("hostnames") or ()))) + "\n" for alias in aliases)
    return text


def resolver(pod: Object) -> str:
    """/etc/resolv.conf by the pod's dnsPolicy and dnsConfig."""
    spec, namespace = pod["spec"], pod["metadata"].get("namespace", "")
    config = spec.get("dnsConfig") or {}
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    servers, searches, options = [OUTSIDE_DNS], [], {}
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        servers, options = [DNS], {"ndots": "5"}
        searches = [f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    elif policy == "None":
        servers = []
    servers = list(dict.fromkeys([*servers, *(config.get("nameservers") or ())]))
    searches = list(dict.fromkeys([*searches, *(config.get("searches") or ())]))
    options |= {option["name"]: option.get("value") or "" for option in config.get("options") or ()}
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    if options:
        lines.append("options " + " ".join(f"{name}:{value}" if value else name for name, value in options.items()))
    return "\n".join(lines) + "\n"


def of(container: Object, pod: Object, view: View | None) -> dict[str, str]:
    """path -> text of all files of the container's ConfigMap, Secret, downward API and projected volumes."""
    found: dict[str, str] = {}
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"])
        if volume is None:
            continue
        within = (mount.get("subPath") or environment.expand(mount.get("subPathExpr") or "", {})).strip("/")
        base = mount["mountPath"].rstrip("/")
        for path, text in of_volume(volume, container, pod, view).items():
            if not within:
                found[f"{base}/{path}"] = text
            elif path == within:
                found[base] = text
            elif path.startswith(within + "/"):
                found[base + path[len(within) :]] = text
    return found


def of_volume(volume: Object, container: Object, pod: Object, view: View | None) -> dict[str, str]:
    """path -> text of the files that the kubelet writes into a volume; {} for the other sorts of volumes."""
    if "projected" in volume:
        found: dict[str, str] = {}
        for source in volume["projected"].get("sources") or ():
            found |= _of_source(source, container, pod, view)
        return found
    if "secret" in volume:
        secret = volume["secret"]
        return _of_source({"secret": {**secret, "name": secret.get("secretName", "")}}, container, pod, view)
    return _of_source(volume, container, pod, view)


def _of_source(source: Object, container: Object, pod: Object, view: View | None) -> dict[str, str]:
    namespace = pod["metadata"].get("namespace", "")
    for name, resource in (("configMap", "configmaps"), ("secret", "secrets")):
        if name in source:
            wanted = source[name]
            data = environment.texts(view, resource, namespace, wanted.get("name", ""))
            items = wanted.get("items")
            return {item["path"]: data[item["key"]] for item in items if item["key"] in data} if items else data
    if "downwardAPI" in source:
        return {
            item["path"]: _downward(item, container, pod, view) for item in source["downwardAPI"].get("items") or ()
        }
    if "serviceAccountToken" in source:
        account = pod["spec"].get("serviceAccountName") or "default"
        audience = source["serviceAccountToken"].get("audience") or "https://kubernetes.default.svc.cluster.local"
        return {source["serviceAccountToken"]["path"]: f"simulated token of {namespace}/{account} for {audience}"}
    return {}


def _downward(item: Object, container: Object, pod: Object, view: View | None) -> str:
    if "fieldRef" in item:
        return environment.field(pod, item["fieldRef"].get("fieldPath", ""))
    return environment.resource_field(item["resourceFieldRef"], container, pod, view)
