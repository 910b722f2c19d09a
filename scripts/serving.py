"""Serves an office until a signal ends it; what has begun is finished first."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from prometheus_client import start_http_server

from api.app import create_app
from api.metrics import Metrics
from ledger.bootstrap import Office
from ledger.errors import ConfigurationError
from scripts.cli_witness import listening

GRACE_SECONDS = 20  # for requests that are under way; Kubernetes kills after 30


def serve(office: Office, listen: str, say: Callable[[str], object], *, worker: bool = True) -> None:
    """`say` is told the URL once. Raises BadInput, ConfigurationError (nothing can listen at that address)."""
    app = create_app(office, worker=worker)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS)
    # uvicorn raises the signal again when it has ended; ending in order is no failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(listen) as door, _metrics(app.state.metrics, office.settings.metrics_port):
        say(f"Serves on http://{':'.join(map(str, door.getsockname()[:2]))}")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[door])


@contextmanager
def _metrics(metrics: Metrics, port: int) -> Iterator[None]:
    """On a port of its own that no proxy leads to: how an office is, is not for everybody."""
    if not port:
        yield
        return
    try:
        server, thread = start_http_server(port, "127.0.0.1", metrics.registry)
    except OSError as error:
        raise ConfigurationError(
            f"Port {port} of 127.0.0.1 cannot serve metrics: {error.strerror}.", "Set another KHALAYAK_METRICS_PORT."
        ) from None
    yield
    server.shutdown()
    thread.join()
