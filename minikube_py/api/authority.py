"""The cluster's certificate authority, which is made of its seed: its certificate, and what it signs.

It is valid for a hundred years from 2000 on, so that virtual and real clocks find it valid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.base.x509 import Authority

NAME = "kubernetes"  # kubeadm's
FROM_S, UNTIL_S = 946_684_800, 4_102_444_799  # 2000-01-01 to 2099-12-31


@lru_cache(maxsize=16)
def of(seed: int) -> Authority:
    from minikube_py.base import p256, x509

    return x509.Authority(NAME, p256.key_of(seed, "authority"))


@lru_cache(maxsize=16)
def certificate(seed: int) -> str:
    """The certificate of the authority, in PEM: what `kube-root-ca.crt` tells every namespace."""
    from minikube_py.base import x509

    return x509.authority_certificate(of(seed), FROM_S, UNTIL_S)
