"""What a controller's recorder does with many events about one object."""

from __future__ import annotations

from minikube_py.api.types import Key, Record
from minikube_py.apiserver import events
from minikube_py.base.clock import Clock
from minikube_py.store.store import Store

KEY = Key("replicasets.apps", "default", "web")
T0 = Clock(1_790_000_000, 1)


def _told(store: Store, messages: list[str], clock: Clock = T0) -> list[str | None]:
    regarding = {"metadata": {"name": "web", "namespace": "default", "uid": "u"}}
    found = []
    with store.transaction():
        for message in messages:
            wanted = Record(regarding, "Normal", "SuccessfulCreate", message, "replicaset-controller")
            told = events.correlated(store, clock, wanted, KEY)
            found.append(told.message if told is not None else None)
    return found


def test_the_tenth_of_a_kind_and_those_after_it_are_combined() -> None:
    messages = [f"Created pod: web-{number}" for number in range(12)]
    told = _told(Store(":memory:"), messages)
    assert told[:9] == messages[:9]
    assert told[9:] == [events.COMBINED + message for message in messages[9:]]


def test_a_known_one_of_the_first_nine_is_counted_by_itself() -> None:
    messages = [f"Created pod: web-{number}" for number in range(11)]
    assert _told(Store(":memory:"), [*messages, messages[0]])[-1] == messages[0]


def test_after_twenty_five_at_once_one_every_five_minutes() -> None:
    store = Store(":memory:")
    told = _told(store, [f"Created pod: web-{number}" for number in range(30)])
    assert told.count(None) == 5
    assert _told(store, ["again", "more"], T0.at(T0.now_s + 300)).count(None) == 1


def test_ten_minutes_of_silence_make_a_new_start() -> None:
    store = Store(":memory:")
    _told(store, [f"Created pod: web-{number}" for number in range(12)])
    assert _told(store, ["Created pod: web-x"], T0.at(T0.now_s + 601)) == ["Created pod: web-x"]
