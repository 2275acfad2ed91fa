"""Image references."""

from __future__ import annotations

import pytest

from minikube_py.programs import images


@pytest.mark.parametrize(
    ("image", "full", "repository", "tag"),
    [
        ("nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx", "latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27", "docker.io/library/nginx", "1.27"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7", "docker.io/bitnami/redis", "7"),
        ("docker.io/nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx", "latest"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b", "latest"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10", "registry.k8s.io/pause", "3.10"),
        ("app@sha256:" + "a" * 64, "docker.io/library/app@sha256:" + "a" * 64, "docker.io/library/app", ""),
        ("Nginx", "", "nginx", "latest"),
        ("a b", "", "", ""),
        ("<image>", "", "", ""),
        ("nginx:", "", "", ""),
    ],
)
def test_a_reference_is_read_as_containerd_reads_it(image: str, full: str, repository: str, tag: str) -> None:
    assert images.full_name(image) == full
    if full:
        assert (images.repository(image), images.tag(image)) == (repository, tag)


def test_an_image_id_is_a_pure_function_of_the_reference() -> None:
    assert images.image_id("nginx") == images.image_id("docker.io/library/nginx:latest")
    assert images.image_id("nginx:1") != images.image_id("nginx:2")
    assert images.image_id("app@sha256:" + "a" * 64) == "docker.io/library/app@sha256:" + "a" * 64
