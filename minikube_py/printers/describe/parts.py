"""What most describers share: labels, annotations, tolerations, selectors, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import selector as selectors
from minikube_py.base.quantity import canonical

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

HIDDEN_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATION_LENGTH_MAX = 140


def name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def head(obj: Object, w: Writer, *, namespaced: bool = True) -> None:
    """Name and namespace."""
    w.line(0, "Name", name(obj))
    if namespaced:
        w.line(0, "Namespace", obj["metadata"].get("namespace", ""))


def labels_and_annotations(obj: Object, w: Writer) -> None:
    labels(w, "Labels", obj["metadata"].get("labels"))
    notes(w, "Annotations", obj["metadata"].get("annotations"))


def labels(w: Writer, title: str, values: dict[str, str] | None) -> None:
    """`Title:<tab>key=value`, one for each line, sorted; <none>."""
    multiline(w, title, [f"{key}={value}" for key, value in sorted((values or {}).items())])


def multiline(w: Writer, title: str, lines: list[str], indent: str = "") -> None:
    w.put(0, f"{indent}{title}:\t")
    if not lines:
        w.put(0, "<none>\n")
    for index, text in enumerate(lines):
        w.put(0, (f"{indent}\t" if index else "") + text + "\n")


def notes(w: Writer, title: str, values: dict[str, str] | None) -> None:
    """Long values and values of several lines go on lines of their own, cut at 140 characters."""
    shown = sorted((key, value) for key, value in (values or {}).items() if key != HIDDEN_ANNOTATION)
    w.put(0, f"{title}:\t")
    if not shown:
        w.put(0, "<none>\n")
    for index, (key, value) in enumerate(shown):
        if index:
            w.put(0, "\t")
        value = value.removesuffix("\n")
        if len(value) + len(key) + 2 > ANNOTATION_LENGTH_MAX or "\n" in value:
            w.put(0, f"{key}:\n")
            for text in value.split("\n"):
                w.put(0, f"\t  {_shorten(text, ANNOTATION_LENGTH_MAX - 2)}\n")
        else:
            w.put(0, f"{key}: {value}\n")


def _shorten(text: str, length_max: int) -> str:
    return text[:length_max] + "..." if len(text) > length_max else text


def tolerations(w: Writer, title: str, values: list[Object] | None) -> None:
    multiline(w, title, [_toleration(one) for one in sorted(values or (), key=lambda one: one.get("key", ""))])


def _toleration(toleration: Object) -> str:
    key, value, effect = (str(toleration.get(field, "")) for field in ("key", "value", "effect"))
    text = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if toleration.get("operator") == "Exists" and not value:
        text += " op=Exists" if key or effect else "op=Exists"
    if toleration.get("tolerationSeconds") is not None:
        text += f" for {toleration['tolerationSeconds']}s"
    return text


def label_selector(selector: Object | None) -> str:
    """metav1.FormatLabelSelector: 'a=b,c in (d,e)'; <none> for an empty one, <error> for none at all."""
    if selector is None:
        return "<none>"
    return selectors.from_label_selector(selector).text or "<none>"


def as_selector(selector: Object | None) -> str:
    """LabelSelectorAsSelector(...).String(): '' for an empty one."""
    return selectors.from_label_selector(selector).text if selector else ""


def map_text(values: dict[str, str] | None) -> str:
    """labels.FormatLabels: 'a=b,c=d', <none>."""
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or "<none>"


def controlled_by(obj: Object, w: Writer) -> None:
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            w.line(0, "Controlled By", f"{owner['kind']}/{owner['name']}")
            return


def quantity(value: object) -> str:
    return canonical(str(value))


def resource_list(w: Writer, level: int, values: dict[str, Any] | None) -> None:
    for resource, value in sorted((values or {}).items()):
        w.line(level, resource, quantity(value))


def conditions(obj: Object, w: Writer) -> None:
    """The conditions of a workload: type, status, reason."""
    found = obj.get("status", {}).get("conditions") or ()
    if found:
        w.put(0, "Conditions:\n  Type\tStatus\tReason\n")
        w.row(1, "----", "------", "------")
    for condition in found:
        w.row(1, f"{condition['type']} ", condition["status"], condition.get("reason", ""))


def events(obj: Object, w: Writer) -> None:
    """The Events section, oldest last change first; events of events.k8s.io (no lastTimestamp) come first."""
    if not w.show_events:
        return
    found = sorted(w.lookup.events(obj), key=_last_written)
    if not found:
        w.line(0, "Events", "<none>")
        return
    w.put(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n")
    w.row(1, "----", "------", "----", "----", "-------")
    for event in found:
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent", "")
        message = event.get("message", "").strip()
        field = event.get("involvedObject", {}).get("fieldPath")
        w.row(
            1,
            event.get("type", ""),
            event.get("reason", ""),
            _interval(event, w),
            source,
            f"{field}: {message}" if field else message,
        )


def _last_written(event: Object) -> tuple[str, int]:
    """By the second it was last seen, within it by what was written first (real names of events tell the nanosecond)."""
    version = str(event["metadata"].get("resourceVersion") or "")
    return event.get("lastTimestamp") or "", int(version) if version.isdecimal() else 0


def _interval(event: Object, w: Writer) -> str:
    first = w.age(event.get("eventTime") or event.get("firstTimestamp"))
    series = event.get("series")
    if series:
        return f"{w.age(series.get('lastObservedTime'))} (x{series.get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{w.age(event.get('lastTimestamp'))} (x{event['count']} over {first})"
    return first
