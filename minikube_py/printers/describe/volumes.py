"""Volume sources: which fields each type shows, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe.writer import go_bool, go_list

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

# source -> (what it is, ((title, field or field.subfield), ...)); a '?' behind a field prints it as a boolean, an '@' as a list.
SOURCES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "hostPath": ("HostPath (bare host directory volume)", (("Path", "path"), ("HostPathType", "type"))),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        (("Medium", "medium"), ("SizeLimit", "sizeLimit")),
    ),
    "secret": ("Secret (a volume populated by a Secret)", (("SecretName", "secretName"), ("Optional", "optional?"))),
    "configMap": ("ConfigMap (a volume populated by a ConfigMap)", (("Name", "name"), ("Optional", "optional?"))),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server"), ("Path", "path"), ("ReadOnly", "readOnly?")),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName"), ("ReadOnly", "readOnly?")),
    ),
    "gitRepo": (
        "GitRepo (a volume that is pulled from git when the pod is created)",
        (("Repository", "repository"), ("Revision", "revision")),
    ),
    "gcePersistentDisk": (
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        (("PDName", "pdName"), ("FSType", "fsType"), ("Partition", "partition#"), ("ReadOnly", "readOnly?")),
    ),
    "awsElasticBlockStore": (
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        (("VolumeID", "volumeID"), ("FSType", "fsType"), ("Partition", "partition#"), ("ReadOnly", "readOnly?")),
    ),
    "cephfs": (
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        (
            ("Monitors", "monitors@"), ("Path", "path"), ("User", "user"), ("SecretFile", "secretFile"),
            ("SecretRef", "secretRef.name"), ("ReadOnly", "readOnly?"),
        ),
    ),
    "iscsi": (
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        (
            ("TargetPortal", "targetPortal"), ("IQN", "iqn"), ("Lun", "lun#"), ("FSType", "fsType"),
            ("ReadOnly", "readOnly?"), ("Portals", "portals@"),
        ),
    ),
    "csi": (
        "CSI (a Container Storage Interface (CSI) volume source)",
        (("Driver", "driver"), ("FSType", "fsType"), ("VolumeHandle", "volumeHandle!"), ("ReadOnly", "readOnly?")),
    ),
    "local": ("LocalVolume (a persistent volume backed by local storage on a node)", (("Path", "path"),)),
    "image": ("Image (a container image or OCI artifact)", (("Reference", "reference"), ("PullPolicy", "pullPolicy"))),
}  # fmt: skip

UNSET = {("hostPath", "type"): "<none>", ("emptyDir", "sizeLimit"): "<unset>"}


def section(w: Writer, volumes: list[Object], indent: str) -> None:
    """The Volumes section of a pod or template."""
    if not volumes:
        w.put(0, f"{indent}Volumes:\t<none>\n")
        return
    w.put(0, f"{indent}Volumes:\n")
    for volume in volumes:
        w.put(1, f"{' ' if indent else ''}{volume['name']}:\n")
        source(w, volume)


def source(w: Writer, holder: Object) -> None:
    """The one source that a volume (or a PersistentVolume's spec) has."""
    if holder.get("projected") is not None:
        _projected(w, holder["projected"])
        return
    if holder.get("downwardAPI") is not None:
        _downward(w, holder["downwardAPI"])
        return
    if holder.get("ephemeral") is not None:
        _ephemeral(w, holder["ephemeral"])
        return
    for name, (what, fields) in SOURCES.items():
        if holder.get(name) is not None:
            w.line(2, "Type", what)
            for title, field in fields:
                _field(w, name, holder[name], title, field)
            if name == "csi":
                _attributes(w, holder[name].get("volumeAttributes"))
            return
    w.put(1, "<unknown>\n")


def _field(w: Writer, name: str, found: Object, title: str, field: str) -> None:
    if field.endswith("!"):  # shown only where it exists: a PersistentVolume's CSI source, not a pod's
        if field[:-1] in found:
            w.line(2, title, found[field[:-1]])
    elif field.endswith("?"):
        w.line(2, title, go_bool(found.get(field[:-1])))
    elif field.endswith("@"):
        w.line(2, title, go_list(found.get(field[:-1])))
    elif field.endswith("#"):
        w.line(2, title, found.get(field[:-1], 0))
    elif "." in field:
        outer, _, inner = field.partition(".")
        w.line(2, title, (found.get(outer) or {}).get(inner, "nil"))
    else:
        w.line(2, title, found.get(field, UNSET.get((name, field), "")))


def _projected(w: Writer, projected: Object) -> None:
    w.line(2, "Type", "Projected (a volume that contains injected data from multiple sources)")
    for one in projected.get("sources") or ():
        if one.get("secret") is not None:
            w.line(2, "SecretName", one["secret"].get("name", ""))
            w.line(2, "Optional", go_bool(one["secret"].get("optional")))
        elif one.get("downwardAPI") is not None:
            w.line(2, "DownwardAPI", "true")
        elif one.get("configMap") is not None:
            w.line(2, "ConfigMapName", one["configMap"].get("name", ""))
            w.line(2, "Optional", go_bool(one["configMap"].get("optional")))
        elif one.get("serviceAccountToken") is not None:
            w.line(2, "TokenExpirationSeconds", one["serviceAccountToken"].get("expirationSeconds", 0))


def _downward(w: Writer, downward: Object) -> None:
    w.put(2, "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:\n")
    for item in downward.get("items") or ():
        if item.get("fieldRef"):
            w.put(3, f"{item['fieldRef']['fieldPath']} -> {item['path']}\n")
        if item.get("resourceFieldRef"):
            w.put(3, f"{item['resourceFieldRef']['resource']} -> {item['path']}\n")


def _ephemeral(w: Writer, ephemeral: Object) -> None:
    from minikube_py.printers.describe import storage

    w.line(
        2, "Type", "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)"
    )
    template = ephemeral.get("volumeClaimTemplate")
    if template:
        storage.claim_fields(template, w, level=2, full=False)


def _attributes(w: Writer, attributes: dict[str, str] | None) -> None:
    texts = [f"{key}={value}" for key, value in sorted((attributes or {}).items())]
    w.put(2, "VolumeAttributes:\t")
    if not texts:
        w.put(0, "<none>\n")
    for index, text in enumerate(texts):
        if index:
            w.put(4, "\t")
        w.put(2, (text[:140] + "..." if len(text) > 140 else text) + "\n")
