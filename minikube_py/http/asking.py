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
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from minikube_py.apiserver.admission import webhook_calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from minikube_py.apiserver.admission.webhook_calls import Call

T = TypeVar("T")
Object = dict[str, Any]

CALLS_MAX = 500  # of one request, or of one run of the engine; then the rest is asked while others wait
CHANCE = ("uid", "creationTimestamp", "resourceVersion", "generation", "name", "managedFields")  # of metadata


class Pending(BaseException):
    """A webhook must be asked first. No Exception: what refuses requests must not take it for a refusal."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.url)
        self.call = call


class Asking:
    """The answers that webhooks have given to one request, or to one run of the engine."""

    def __init__(self) -> None:
        self._answers: dict[bytes, tuple[str, Object | webhook_calls.Failed]] = {}  # with the uid of the review

    async def repeated(self, attempt: Callable[[], Awaitable[T]], held: asyncio.Lock | None = None) -> T:
        """What `attempt` comes to, once all webhooks have answered that it asks. `held`: a lock that the caller holds; others
        may have it while a webhook is asked."""
        while True:
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
            self._answers[_question(call)] = call.review["request"]["uid"], found

    def _answer(self, call: Call) -> Object:
        """What the webhook has said to this question. Raises Pending where it was not asked, and Failed."""
        known = self._answers.get(_question(call))
        if known is None:
            if len(self._answers) >= CALLS_MAX:
                return webhook_calls.post(call)
            raise Pending(call)
        uid, found = known
        if isinstance(found, webhook_calls.Failed):
            raise found
        response = found.get("response")
        if not isinstance(response, dict) or response.get("uid") != uid:
            return found
        return {**found, "response": {**response, "uid": call.review["request"]["uid"]}}


def _question(call: Call) -> bytes:
    """What a webhook is asked, without what another attempt makes up anew: the uid of the review, and for an object that
    is to be created its uid, time and generated name."""
    request = {**call.review["request"], "uid": ""}
    obj = request.get("object")
    if isinstance(obj, dict) and request.get("operation") == "CREATE":
        meta = obj.get("metadata") or {}
        made_up = CHANCE if meta.get("generateName") else tuple(name for name in CHANCE if name != "name")
        request["object"] = {
            **obj, "metadata": {name: value for name, value in meta.items() if name not in made_up}
        }  # fmt: skip
        if meta.get("generateName"):
            request["name"] = ""
    return orjson.dumps([call.url, call.ca_bundle, call.review["apiVersion"], request], option=orjson.OPT_SORT_KEYS)


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
