"""What `khalayak witness` serves: its signed note of a final block, as plain text."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.limits import SecurityHeaders
from ledger.cosigner import Cosigner
from ledger.errors import ConfigurationError, KhalayakError, NotFound, SplitView

NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
RATE, BURST = 20, 100  # requests a second, of everybody together


class Bucket:
    """Lets `rate` requests a second through, and `burst` at once. Threads may share one."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at = float(burst), clock()
        self._mutex = threading.Lock()

    def take(self) -> bool:
        with self._mutex:
            now = self._clock()
            self._left, self._at = min(self._burst, self._left + (now - self._at) * self._rate), now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def create_witness_app(cosigner: Cosigner, alarm: Callable[[KhalayakError], None], bucket: Bucket) -> Starlette:
    """`alarm` is told of a split view, a node of another chain, a damaged log. Nothing of a request but the number in
    its path is read."""

    def checkpoint(request: Request) -> PlainTextResponse:
        number = request.path_params["number"]
        if not bucket.take():
            return _answer(429, "Too many requests: ask again in a second.", {"Retry-After": "1"})
        if not NUMBER.fullmatch(number):
            return _answer(400, "Expected a block number of up to 18 digits.")
        try:
            return PlainTextResponse(cosigner.note(int(number)))
        except NotFound as error:
            return _answer(404, str(error))
        except (SplitView, ConfigurationError) as error:
            alarm(error)
            return _answer(409, error.message)
        except KhalayakError:
            # The reason may name the node; the operator reads it where the witness checks its node by itself.
            return _answer(503, "This witness cannot tell now.", {"Retry-After": "5"})

    app = Starlette(routes=[Route("/checkpoint/{number}", checkpoint, methods=["GET"])])
    app.add_middleware(SecurityHeaders)
    return app


def _answer(status: int, text: str, headers: dict[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(f"{text}\n", status, headers)
