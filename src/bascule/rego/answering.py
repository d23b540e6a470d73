"""What a worker does with a request. Only a worker imports it: see `worker`."""

import time
from collections.abc import Callable
from typing import Final

from bascule.rego.evaluating import Document, Unusable
from bascule.rego.inspecting import inspect
from bascule.rego.messages import (
    Answers,
    Evaluate,
    Failed,
    Inspect,
    Load,
    Loaded,
    Query,
    Request,
    Response,
    Values,
)


class Desk:
    """Holds the documents that the gateway has it load; which, is the gateway's affair."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._documents: dict[str, Document] = {}

    def answer(self, request: Request) -> Response:
        """The response to `request`."""
        try:
            match request:
                case Load():
                    return self._load(request)
                case Evaluate():
                    return self._evaluate(request)
                case Query():
                    document = self._document(request.name)
                    return Values(document.values(request.query, request.given))
                case Inspect():
                    return inspect(request.modules, request.data)
        except Unusable as error:
            return Failed(str(error))
        except MemoryError:
            return Failed(_NO_MEMORY)

    def _load(self, request: Load) -> Response:
        for name in request.forget:
            self._documents.pop(name, None)
        self._documents[request.name] = Document(request.modules, request.data)
        return Loaded()

    def _evaluate(self, request: Evaluate) -> Response:
        document = self._document(request.name)
        until = self._now() + request.slice_seconds
        answers: list[tuple[bool, str]] = []
        for given in request.inputs:
            answers.append(document.decide(given))
            if self._now() >= until:
                break
        return Answers(tuple(answers))

    def _document(self, name: str) -> Document:
        found = self._documents.get(name)
        if found is None:
            raise Unusable("the document is not loaded")
        return found


_NO_MEMORY: Final = "it needs more memory than it may use"
