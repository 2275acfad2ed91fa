"""Virtual time and keyed chance: one frozen value, passed in. The only module that knows either.

Time is whole seconds since 1970 (UTC). Chance is keyed: `clock.dice("pull", uid)` depends on the cluster's seed and the
words given, on nothing else, so that a new controller shifts nobody's luck.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple

# The alphabet of Kubernetes' generated names: no vowels, no 0, 1 or 3 (k8s.io/apimachinery/pkg/util/rand).
NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
EPOCH_DAY = 719_163  # date(1970, 1, 1).toordinal()


class Clock(NamedTuple):
    """`now_s`: virtual seconds since 1970; `seed`: the cluster's seed."""

    now_s: int
    seed: int = 0

    @property
    def timestamp(self) -> str:
        """Now as metav1.Time: '2026-11-24T22:21:23Z'."""
        return timestamp(self.now_s)

    @property
    def micro_timestamp(self) -> str:
        """Now as metav1.MicroTime: '2026-11-24T22:21:23.000000Z'."""
        return timestamp(self.now_s)[:-1] + ".000000Z"

    def at(self, now_s: int) -> Clock:
        return Clock(now_s, self.seed)

    def token(self, *words: object) -> int:
        """64 bits that depend on the seed and `words` alone."""
        from hashlib import blake2b  # costs start-up, and reading needs no chance

        text = "\0".join(map(str, (self.seed, *words)))
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

    def dice(self, *words: object) -> Random:
        """A private random source for one purpose: `clock.dice("pull", pod_uid).randint(1, 4)`."""
        from random import Random

        return Random(self.token(*words))

    def suffix(self, *words: object, length: int = 5) -> str:
        """The random part of a generated name: 'x7k2p'."""
        number, letters = self.token("suffix", *words), []
        for _ in range(length):
            number, index = divmod(number, len(NAME_ALPHABET))
            letters.append(NAME_ALPHABET[index])
        return "".join(letters)

    def uid(self, *words: object) -> str:
        """A version-4 shaped UUID: 'b1a2...-....-4...-8...-............'."""
        from hashlib import blake2b

        text = "\0".join(map(str, (self.seed, "uid", *words)))
        raw = blake2b(text.encode(), digest_size=16).hexdigest()
        variant = "89ab"[int(raw[16], 16) & 3]
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"


_TOLD: dict[int, str] = {}


def timestamp(now_s: int) -> str:
    """Seconds since 1970 as metav1.Time."""
    found = _TOLD.get(now_s)
    if found is None:
        if len(_TOLD) > 4096:
            _TOLD.clear()
        year, month, day, hour, minute, second, *_ = time.gmtime(now_s)
        found = _TOLD[now_s] = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"
    return found


_PARSED: dict[str, int] = {}


def seconds(text: str) -> int:
    """metav1.Time or MicroTime as whole seconds since 1970; a fraction is cut off. Raises ValueError."""
    found = _PARSED.get(text)
    if found is None:
        if len(_PARSED) > 4096:
            _PARSED.clear()
        found = _PARSED[text] = _parse(text)
    return found


def _parse(text: str) -> int:
    from datetime import date  # sqlite3 has loaded it; calendar.timegm does the same sum

    if len(text) < 20 or text[10] not in "Tt " or text[4] != "-" or text[13] != ":":
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    days = date(int(text[:4]), int(text[5:7]), 1).toordinal() - EPOCH_DAY + int(text[8:10]) - 1
    moment = days * 86400 + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    zone = text[19:].lstrip(".0123456789")
    if zone in ("Z", "z"):
        return moment
    sign = {"+": 1, "-": -1}[zone[0]]
    return moment - sign * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)


def zoned(now_s: int, zone: str) -> datetime:
    """A second since 1970 as a datetime in a time zone ('Europe/Berlin'); '' is UTC. ValueError: no such zone."""
    from datetime import UTC, datetime, tzinfo
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    place: tzinfo = UTC
    if zone:
        try:
            place = ZoneInfo(zone)
        except ZoneInfoNotFoundError as error:
            raise ValueError(f"unknown time zone {zone}") from error
    return datetime.fromtimestamp(now_s, place)


def wall_now_s() -> int:
    """The wall clock, for the epoch of a new cluster only."""
    return int(time.time())


def wall_seconds() -> float:
    """Real seconds from an unknown beginning, for how long a server took: nothing of a cluster may hang on it."""
    return time.perf_counter()


def secret() -> str:
    """256 bits that nobody can guess, for keys and tokens of a server: nothing of a cluster may hang on it."""
    return os.urandom(32).hex()


def fresh_seed() -> int:
    """A seed for a new cluster whose user gave none: always 0, so that equal commands give equal bytes."""
    return 0
