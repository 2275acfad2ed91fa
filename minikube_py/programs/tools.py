"""Tools that are known by their command lines: stress and stress-ng, which put a load on their container, the images
polinux/stress, vish/stress and agnhost of the documentation's examples, and its Job that prints pi."""

from __future__ import annotations

import re
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


PI_S = 5  # what the documentation's Job needs here for its digits
PI_DIGITS_MAX = 20_000
_BPI = re.compile(r"\s*print\s+bpi\((\d+)\);?\s*")


def _digits(argv: tuple[str, ...], base: Behaviour) -> Behaviour | None:
    """`perl -Mbignum=bpi -wle "print bpi(2000)"`, the documentation's Job; None for everything else."""
    if not argv or argv[0].rpartition("/")[2] != "perl" or not any("bpi" in word for word in argv[1:-1]):
        return None
    asked = _BPI.fullmatch(argv[-1])
    if asked is None or not 0 < int(asked[1]) <= PI_DIGITS_MAX:
        return None
    return base._replace(exit_after_s=PI_S, log=((PI_S, pi(int(asked[1]))),))


def pi(digits: int) -> str:
    """Pi, rounded to so many digits: 3 gives 3.14. By Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)."""
    unit: int = 10 ** (digits + 9)

    def arctan(inverse: int) -> int:
        power = total = unit // inverse
        divisor = 1
        while power:
            power //= -inverse * inverse
            divisor += 2
            total += power // divisor
        return total

    found = str((16 * arctan(5) - 4 * arctan(239) + 5 * 10**9) // 10**10)
    return f"{found[0]}.{found[1:]}" if digits > 1 else found


def loaded(argv: tuple[str, ...], image: str, base: Behaviour) -> Behaviour:
    """`base` with what a tool does that is known by its command line: the load that stress puts on, the answers of a test
    image, the digits of pi; `base` itself for other commands."""
    known = _agnhost(argv, image, base) or _digits(argv, base)
    if known is not None:
        return known
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
