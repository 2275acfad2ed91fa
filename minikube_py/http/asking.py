"""Webhooks that a request has to wait for, without making everybody else wait.

    asking = Asking()
    found = await asking.repeated(attempt)     # `attempt` holds the lock of the world, and undoes what it did if it fails

The first attempt at a request stops where a webhook must be asked: what it wrote is undone, the lock is free, a thread of its
own makes the call, and the request begins anew with the answer at hand. So a webhook may read and write through this server
before it answers, as it may with a real one, which holds no lock during admission either. If what it was asked about has changed
meanwhile it is asked again, as for a real one's retried patch.

Source: k8s.io/apiserver pkg/registry/generic/registry/store.go (admission within GuaranteedUpdate, which is retried).
"""

from __future__ import annotations

import asyncio
import re
import threading
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import orjson

from minikube_py.apiserver.admission import webhook_calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from minikube_py.apiserver.admission.webhook_calls import Call

T = TypeVar("T")
Object = dict[str, Any]

CALLS_MAX = 500  # of one request, or of one run of the engine; then the rest is asked while others wait
NUMBERS = ("resourceVersion", "generation", "managedFields")  # of metadata
UID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TOKEN_VOLUME = "kube-api-access-[a-z0-9]{5}"


class Pending(BaseException):
    """A webhook must be asked first. No Exception: what refuses requests must not take it for a refusal."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.url)
        self.call = call


class Asking:
    """The answers that webhooks have given to one request, or to one run of the engine."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, int], tuple[_Question, Object | webhook_calls.Failed]] = {}
        self._times: dict[
            str, int
        ] = {}  # how often this attempt has asked the same: of pods that are alike, each is asked about

    async def repeated(self, attempt: Callable[[], Awaitable[T]], held: asyncio.Lock | None = None) -> T:
        """What `attempt` comes to, once all webhooks have answered that it asks. `held`: a lock that the caller holds; others
        may have it while a webhook is asked."""
        while True:
            self._times = {}
            token = webhook_calls.CALLER.set(self._answer)
            try:
                return await attempt()
            except Pending as error:
                call = error.call
            finally:
                webhook_calls.CALLER.reset(token)
            if held is not None:
                held.release()
            try:
                found = await _called(call)
            finally:
                if held is not None:
                    await held.acquire()
            question = _Question.of(call)
            self._answers[question.text, self._times[question.text]] = question, found

    def _answer(self, call: Call) -> Object:
        """What the webhook has said to this question. Raises Pending where it was not asked, and Failed."""
        question = _Question.of(call)
        number = self._times[question.text] = self._times.get(question.text, 0) + 1
        known = self._answers.get((question.text, number))
        if known is None:
            if len(self._answers) >= CALLS_MAX:
                return webhook_calls.post(call)
            raise Pending(call)
        before, found = known
        if isinstance(found, webhook_calls.Failed):
            raise found
        return question.translated(found, before)


class _Question(NamedTuple):
    """What a webhook is asked, `text`, with numbers in the place of what each attempt makes up anew: `made_up`, in the order
    in which it appears. The numbers of versions are left out: what counts is whether anything else has changed."""

    text: str
    made_up: tuple[str, ...]

    @classmethod
    def of(cls, call: Call) -> _Question:
        request = dict(call.review["request"])
        for field in ("object", "oldObject"):
            if isinstance(request.get(field), dict):
                request[field] = _unnumbered(request[field])
        told = orjson.dumps([call.url, call.review["apiVersion"], request], option=orjson.OPT_SORT_KEYS).decode()
        meta = (call.review["request"].get("object") or {}).get("metadata") or {}
        generated = [re.escape(meta["name"])] if meta.get("generateName") and meta.get("name") else []
        found: dict[str, str] = {}
        pattern = re.compile("|".join([UID, TOKEN_VOLUME, *generated]))
        text = pattern.sub(lambda match: found.setdefault(match[0], f"<{len(found)}>"), told)
        return cls(text, tuple(found))

    def translated(self, answer: Object, before: _Question) -> Object:
        """An answer to the question as it was asked before, with what is made up as it is now."""
        response = answer.get("response")
        if self.made_up == before.made_up or not isinstance(response, dict):
            return answer
        now = dict(zip(before.made_up, self.made_up, strict=True))
        pattern = re.compile("|".join(map(re.escape, before.made_up)))

        def replaced(text: str) -> str:
            return pattern.sub(lambda match: now[match[0]], text)

        patch = response.get("patch")
        rest = orjson.loads(replaced(orjson.dumps(response).decode()))
        if isinstance(patch, str):
            try:
                rest["patch"] = b64encode(replaced(b64decode(patch).decode()).encode()).decode()
            except ValueError:
                rest["patch"] = patch  # no base64 of a text: whoever reads it says so
        return {**answer, "response": rest}


def _unnumbered(obj: Object) -> Object:
    meta = obj.get("metadata") or {}
    return {**obj, "metadata": {name: value for name, value in meta.items() if name not in NUMBERS}}


async def _called(call: Call) -> Object | webhook_calls.Failed:
    """Make a call in a thread of its own, which does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Object | webhook_calls.Failed] = loop.create_future()

    def tell(found: Object | webhook_calls.Failed) -> None:
        if not done.done():
            done.set_result(found)

    def work() -> None:
        found: Object | webhook_calls.Failed
        try:
            found = webhook_calls.post(call)
        except webhook_calls.Failed as error:
            found = error
        except Exception as error:
            found = webhook_calls.Failed(str(error))
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=work, daemon=True, name="webhook").start()
    return await done
