"""Tools that put a load on their container, read from their command lines: stress, stress-ng, and the images
polinux/stress and vish/stress of the documentation's examples."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.programs.behaviour import Behaviour

NAMES = ("stress", "stress-ng")
IMAGES = ("polinux/stress", "vish/stress", "progrium/stress")
MEMORY_FLAGS = ("--vm-bytes", "-mem-total")
CPU_FLAGS = ("--cpu", "-c", "-cpus")
MEBI = 1 << 20
# stress counts in powers of two, whatever the letter's case: 150M is 150 MiB.
UNITS = {"k": 1 << 10, "m": MEBI, "g": 1 << 30}


# The test image agnhost by its subcommand: the port it listens on (0: none), and the flag that changes it.
AGNHOST = {
    "connect": (0, ""), "entrypoint-tester": (0, ""), "fake-gitserver": (8000, ""), "grpc-health-checking": (5000, "--port"),
    "guestbook": (80, "--http-port"), "liveness": (8080, ""), "logs-generator": (0, ""), "netexec": (8080, "--http-port"),
    "nettest": (8080, "--port"), "no-snat-test": (8080, "--port"), "pause": (0, ""), "porter": (80, ""),
    "serve-hostname": (9376, "--port"), "test-webserver": (80, "--port"), "webhook": (443, "--port"),
}  # fmt: skip
HEALTHY_S = 10  # the liveness server answers 500 from then on


def _agnhost(argv: tuple[str, ...], image: str, base: Behaviour) -> Behaviour | None:
    """The documentation's `liveness` server and the subcommands of agnhost; None for everything else."""
    from minikube_py.programs.behaviour import Answer

    short = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    if short == "liveness":
        word = "liveness"
    elif short in ("agnhost", "e2e-test-images"):
        words = [part for part in argv if not part.endswith("agnhost")]
        word = words[0] if words else "pause"
    else:
        return None
    if word not in AGNHOST:
        return None
    port, flag = AGNHOST[word]
    given = _after([part for one in argv for part in one.split("=", 1)], (flag,)) if flag else ""
    port = int(given) if given.isdigit() else port
    http = (Answer("/healthz", port, ((0, 200), (HEALTHY_S, 500))),) if word == "liveness" else ()
    return base._replace(ports=(port,) if port else (), http=http, exit_after_s=None)


def loaded(argv: tuple[str, ...], image: str, base: Behaviour) -> Behaviour:
    """`base` with the load that a stress tool puts on, or what a test image does; `base` itself for other commands."""
    served = _agnhost(argv, image, base)
    if served is not None:
        return served
    name = image.rpartition("@")[0] or image
    is_image = any(name.partition(":")[0].endswith(known) for known in IMAGES)
    if not is_image and (not argv or argv[0].rpartition("/")[2] not in NAMES):
        return base
    words = [part for word in argv for part in word.split("=", 1)]
    workers = int(_after(words, ("--vm", "-m")) or 1)
    memory, cpu = _after(words, MEMORY_FLAGS), _after(words, CPU_FLAGS)
    changed: dict[str, object] = {"exit_after_s": None}
    if memory:
        changed["memory"] = ((0, 4 * MEBI), (1, workers * _bytes(memory)))
    if cpu:
        changed["cpu_m"] = ((0, int(float(cpu) * 1000)),)
    return base._replace(**changed)  # type: ignore[arg-type]


# What base images have beside the commands that the simulated shell knows.
INSTALLED = frozenset((
    "adduser", "apk", "apt", "apt-get", "bash", "busybox", "crond", "dpkg", "httpd", "ifconfig", "init", "ip", "ln", "login",
    "mount", "nc", "ntpd", "ping", "perl", "python", "rpm", "su", "syslogd", "telnetd", "top", "traceroute", "umount", "vi",
    "yum", "dnf", "microdnf",
))  # fmt: skip
CANNOT_START = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable "
    'to start container process: error during container init: exec: "{name}": {why}: unknown'
)


def missing(container: Object) -> str:
    """Why the runtime cannot start a container's command, where that can be known; '' else.

    A command with a blank in its name is in no image; one that a base image does not have is in none of its folders, and
    of some well-known images the catalogue tells all commands.
    """
    from minikube_py.programs import catalogue, run

    argv = (*(container.get("command") or ()), *(container.get("args") or ()))
    if not argv or not argv[0]:
        return ""
    name = argv[0]
    short = (container.get("image") or "").rpartition("/")[2].partition("@")[0].partition(":")[0]
    commands = catalogue.commands_of(container.get("image") or "")
    is_base = short in run.BASES or (bool(commands) and "/" not in name)
    if any(fnmatchcase(name, glob) for glob in commands):
        return ""
    if not is_base and not (container.get("command") and " " in name):
        return ""
    if name.rpartition("/")[2] in INSTALLED or not _is_unknown(name):
        return ""
    if any(name.startswith(mount["mountPath"].rstrip("/") + "/") for mount in container.get("volumeMounts") or ()):
        return ""
    why = f"stat {name}: no such file or directory" if "/" in name else "executable file not found in $PATH"
    return CANNOT_START.format(name=name, why=why)


def _is_unknown(name: str) -> bool:
    from shlex import quote

    from minikube_py.programs import run

    return bool(run.unknown(quote(name)))


def _after(words: list[str], flags: tuple[str, ...]) -> str:
    for index, word in enumerate(words[:-1]):
        if word in flags:
            return words[index + 1]
    return ""


def _bytes(text: str) -> int:
    """'150M' -> 157286400, '1073741824' as it is, '150Mi' like '150M'; 0 if it is no number."""
    letters = text.rstrip("iB")
    unit = UNITS.get(letters[-1:].lower(), 1)
    digits = letters[:-1] if unit > 1 else letters
    return int(float(digits) * unit) if digits.replace(".", "", 1).isdigit() else 0
