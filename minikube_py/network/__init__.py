"""The network: who can reach whom, by which name, through which Service, and what the client sees.

Everything here is a pure function of a View and a Clock: `dns` (names), `policy` (NetworkPolicy verdicts), `services`
(kube-proxy), `ingress` (Ingress and HTTPRoute), `serving` (what a pod answers), `routes` (a whole request) and `traffic`
(many of them).
"""
