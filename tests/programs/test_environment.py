"""What the kubelet puts into a container: variables and files."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.programs import environment, files
from tests.support import FrozenView

Object = dict[str, Any]


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ("a $(A) b", "a 1 b"),
        ("$(NONE) $A", "$(NONE) $A"),
        ("$$(A) $$$(A)", "$(A) $1"),
        ("$(A)$(A", "1$(A"),
        ("$", "$"),
    ],
)
def test_references_are_expanded_as_the_kubelet_does(word: str, expanded: str) -> None:
    assert environment.expand(word, {"A": "1"}) == expanded


def make_pod(**fields: Any) -> Object:
    spec = {"containers": [{"name": "web", "image": "nginx"}], "nodeName": "n1", **fields}
    status = {"podIP": "10.244.1.2", "hostIP": "192.168.10.2"}
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"b": "2", "a": "1"}},
        "spec": spec,
        "status": status,
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-1"),
        ("metadata.labels['a']", "1"),
        ("metadata.labels", 'a="1"\nb="2"'),
        ("status.podIP", "10.244.1.2"),
        ("spec.nodeName", "n1"),
        ("metadata.annotations['x']", ""),
    ],
)
def test_fields_of_the_pod(path: str, value: str) -> None:
    assert environment.field(make_pod(), path) == value


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", "0", "1"),
        ("limits.cpu", "1m", "250"),
        ("requests.memory", "1", "67108864"),
        ("requests.memory", "1Mi", "64"),
        ("limits.memory", "1Gi", "8"),
        ("requests.cpu", "1", "0"),
    ],
)
def test_amounts_are_rounded_up_in_units_of_the_divisor(resource: str, divisor: str, value: str) -> None:
    container = {"name": "web", "resources": {"limits": {"cpu": "250m"}, "requests": {"memory": "64Mi"}}}
    node = {"metadata": {"name": "n1"}, "status": {"allocatable": {"memory": "8Gi"}}}
    wanted = {"resource": resource, "divisor": divisor}
    assert environment.resource_field(wanted, container, make_pod(), FrozenView({"nodes": [node]})) == value


def test_services_that_were_there_before_are_variables() -> None:
    def service(name: str, address: str, created: str) -> Object:
        meta = {"name": name, "namespace": "shop", "creationTimestamp": created}
        return {
            "metadata": meta,
            "spec": {"clusterIP": address, "ports": [{"name": "main", "port": 6379, "protocol": "TCP"}]},
        }

    early, late = "1970-01-01T00:01:00Z", "1970-01-01T00:10:00Z"
    services = [
        service("headless", "None", early),
        service("late", "10.96.0.9", late),
        service("my-redis", "10.96.0.8", early),
    ]
    assert environment.of_services(make_pod(), FrozenView({"services": services}), 120) == {
        "MY_REDIS_SERVICE_HOST": "10.96.0.8",
        "MY_REDIS_SERVICE_PORT": "6379",
        "MY_REDIS_SERVICE_PORT_MAIN": "6379",
        "MY_REDIS_PORT": "tcp://10.96.0.8:6379",
        "MY_REDIS_PORT_6379_TCP": "tcp://10.96.0.8:6379",
        "MY_REDIS_PORT_6379_TCP_PROTO": "tcp",
        "MY_REDIS_PORT_6379_TCP_PORT": "6379",
        "MY_REDIS_PORT_6379_TCP_ADDR": "10.96.0.8",
    }
    assert environment.of_services(make_pod(enableServiceLinks=False), FrozenView({"services": services}), 120) == {}


def test_hosts_name_the_pod_and_its_aliases() -> None:
    pod = make_pod(subdomain="db", hostAliases=[{"ip": "127.0.0.1", "hostnames": ["foo.local", "bar.local"]}])
    assert files.hosts(pod).splitlines()[-4:] == [
        "10.244.1.2\tweb-1.db.shop.svc.cluster.local\tweb-1",
        "",
        "# Entries added by HostAliases.",
        "127.0.0.1\tfoo.local\tbar.local",
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"),
        ({"dnsPolicy": "Default"}, "nameserver 192.168.10.254\n"),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {
                    "nameservers": ["192.0.2.1"],
                    "searches": ["ns1.svc"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
                },
            },
            "search ns1.svc\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
        ),
    ],
)
def test_the_resolver_follows_the_dns_policy(fields: Object, text: str) -> None:
    assert files.resolver(make_pod(**fields)) == text


def test_mounted_files_by_item_and_sub_path() -> None:
    config = {"metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "1", "b": "2"}}
    volume = {"name": "v", "configMap": {"name": "c", "items": [{"key": "a", "path": "dir/x"}]}}
    mounts = [{"name": "v", "mountPath": "/etc/v"}, {"name": "v", "mountPath": "/one", "subPath": "dir/x"}]
    pod = make_pod(volumes=[volume])
    found = files.of({"name": "web", "volumeMounts": mounts}, pod, FrozenView({"configmaps": [config]}))
    assert found == {"/etc/v/dir/x": "1", "/one": "1"}
