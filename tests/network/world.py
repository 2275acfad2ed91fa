"""A small cluster that several tests of the network ask things of, built once and not changed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from minikube_py.cluster import Cluster
from minikube_py.network import places, routes
from tests.house.source import ROOT

if TYPE_CHECKING:
    from minikube_py.network.places import Place
    from minikube_py.network.routes import Outcome

Object = dict[str, Any]

MANIFEST = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "nginx:1.27", ports: [{name: http, containerPort: 80}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: wrong, port: 81, targetPort: 8081}, {name: unnamed, port: 82, targetPort: nothing}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web-np, namespace: shop}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web-lb, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}], loadBalancerSourceRanges: [203.0.113.0/28]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web-lb2, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}], loadBalancerSourceRanges: [198.51.100.0/24]}}
---
{apiVersion: v1, kind: Service, metadata: {name: foreign, namespace: shop}, spec: {type: LoadBalancer, loadBalancerClass: example.com/other, selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: local, namespace: shop}, spec: {selector: {app: one}, internalTrafficPolicy: Local, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: local-np, namespace: shop}, spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: one}, ports: [{port: 80, nodePort: 30081}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: shop, labels: {app: one}}, spec: {nodeName: worker-1, containers: [{name: web, image: "nginx:1.27"}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: empty, namespace: shop}, spec: {selector: {app: nobody}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: sticky, namespace: shop}, spec: {selector: {app: web}, sessionAffinity: ClientIP, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: ext, namespace: shop}, spec: {type: ExternalName, externalName: web.shop.svc.cluster.local}}
---
{apiVersion: v1, kind: Service, metadata: {name: by-hand, namespace: shop}, spec: {ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: pg, port: 5432}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db-all, namespace: shop}, spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: slow}, ports: [{port: 5432}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db-ready, namespace: shop}, spec: {clusterIP: None, selector: {app: slow}, ports: [{port: 5432}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: slow, namespace: shop, labels: {app: slow}}, spec: {containers: [{name: db, image: example/slow, ports: [{containerPort: 5432}], readinessProbe: {tcpSocket: {port: 5432}, initialDelaySeconds: 36000}}]}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {serviceName: db, replicas: 2, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: example/db, ports: [{containerPort: 5432}]}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: shop, labels: {app: client}}, spec: {nodeName: worker-2, containers: [{name: main, image: busybox, command: [sleep, "86400"]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: stranger}, spec: {containers: [{name: main, image: busybox, command: [sleep, "86400"]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shut, labels: {app: shut}}, spec: {containers: [{name: main, image: busybox, command: [sleep, "86400"]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: no-way-out}, spec: {podSelector: {matchLabels: {app: shut}}, policyTypes: [Egress]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db-for-clients, namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 5432}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}
---
{apiVersion: v1, kind: Secret, metadata: {name: shop-tls, namespace: shop}, type: kubernetes.io/tls, data: {tls.crt: "", tls.key: ""}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop, namespace: shop}, spec: {ingressClassName: nginx, tls: [{hosts: [safe.example.com], secretName: shop-tls}], rules: [
  {host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}, {path: /empty, pathType: Prefix, backend: {service: {name: empty, port: {number: 80}}}}, {path: /empty/exact, pathType: Exact, backend: {service: {name: sticky, port: {number: 80}}}}, {path: /gone, pathType: Prefix, backend: {service: {name: nope, port: {number: 80}}}}, {path: /wrong, pathType: Prefix, backend: {service: {name: web, port: {number: 81}}}}]}},
  {host: "*.example.com", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: sticky, port: {number: 80}}}}]}},
  {host: safe.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: nobodys, namespace: shop}, spec: {ingressClassName: unknown, rules: [{host: lost.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: simulated}, spec: {controllerName: sim.kpy.dev/gateway-controller}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: shop}, spec: {gatewayClassName: simulated, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: api, namespace: shop}, spec: {parentRefs: [{name: edge}], hostnames: [api.example.net], rules: [
  {matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: web, port: 80}]},
  {matches: [{path: {type: Exact, value: /exact}}], backendRefs: [{name: empty, port: 80}]},
  {matches: [{path: {type: PathPrefix, value: /}, headers: [{name: X-Canary, value: "yes"}]}], backendRefs: [{name: sticky, port: 80}]},
  {matches: [{path: {type: PathPrefix, value: /split}}], backendRefs: [{name: web, port: 80, weight: 90}, {name: local-np, port: 80, weight: 10}]},
  {matches: [{path: {type: PathPrefix, value: /old}}], filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]},
  {matches: [{path: {type: PathPrefix, value: /missing}}], backendRefs: [{name: nope, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: foreign}, spec: {parentRefs: [{name: edge, namespace: shop}], hostnames: [foreign.example.net], rules: [{backendRefs: [{name: web, port: 80}]}]}}
"""


@cache
def cluster() -> Cluster:
    made = Cluster.memory(nodes=4)
    for text in ((ROOT / "manifests" / "gateway-api.yaml").read_text(encoding="utf-8"), MANIFEST):
        for document in yaml.safe_load_all(text):
            made.apply(document)
    made.reconcile(for_s=60)
    return made


def place(text: str) -> Place:
    """'outside', 'shop/client', 'worker-1'."""
    if text == "outside":
        return places.OUTSIDE
    namespace, slash, name = text.partition("/")
    if slash:
        return places.of_pod(cluster().get("pods", name, namespace))
    return places.of_node(cluster().get("nodes", text))


def ask(source: str, url: str, number: int = 0, **how: Any) -> Outcome:
    return routes.request(cluster().view, cluster().clock, place(source), routes.parse(url, **how), number=number)


def address(name: str, namespace: str = "shop") -> str:
    """A Service's own address, or that of its load balancer."""
    service = cluster().get("services", name, namespace)
    entries = service["status"]["loadBalancer"].get("ingress")
    return str(entries[0]["ip"] if entries else service["spec"]["clusterIP"])
