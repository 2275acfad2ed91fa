"""Tools that put a load on their container, read from their command lines: stress, stress-ng, and the images
polinux/stress and vish/stress of the documentation's examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.programs.behaviour import Behaviour

NAMES = ("stress", "stress-ng")
IMAGES = ("polinux/stress", "vish/stress", "progrium/stress")
MEMORY_FLAGS = ("--vm-bytes", "-mem-total")
CPU_FLAGS = ("--cpu", "-c", "-cpus")
MEBI = 1 << 20
# stress counts in powers of two, whatever the letter's case: 150M is 150 MiB.
UNITS = {"k": 1 << 10, "m": MEBI, "g": 1 << 30}


def loaded(argv: tuple[str, ...], image: str, base: Behaviour) -> Behaviour:
    """`base` with the load that a stress tool puts on; `base` itself for every other command."""
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
