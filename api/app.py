"""The HTTP API of one office."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api import docs, problems
from api.limits import BodyLimit, SecurityHeaders
from api.metrics import Measured, Metrics
from api.pages import routes as pages
from api.pages.static import STATIC, Static
from api.routes import applications, documents, entries, health, records, registers, verification
from api.running import Running
from api.schemas import Problem
from api.watch import Watch
from api.worker import Worker
from ledger.bootstrap import Office
from ledger.registers.forms import MAX_DOCUMENTS

DESCRIPTION = """Every answer carries its proof: a certificate verifies without this server.

`GET /v1/registers` says what each action asks for. Apply (`POST /v1/{kind}/{action}`), sign the typed data as
registrars (`POST …/approvals`), and fetch the certificate when the application is certified. `accepted` means that this
office has taken the application in; `final` means that the chain can no longer take the change back."""


def create_app(office: Office, *, worker: bool = True) -> FastAPI:
    """The API over an open office, which the caller closes. `worker` runs its steps in threads of their own."""
    watch = Watch(office)
    metrics = Metrics(watch.newest)
    background = Worker(office, metrics) if worker else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        started = [thread for thread in (background, watch) if thread]
        for thread in started:
            thread.start()
        try:
            yield
        finally:
            for thread in started:
                await run_in_threadpool(thread.stop)

    app = FastAPI(
        title="Khalayak",
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        # Each record may have its document; one file more is the request itself.
        form_limits={"max_fields": 8, "max_files": MAX_DOCUMENTS + 1, "max_part_size": 65_536},
        responses={"4XX": problems.documented(Problem), "5XX": problems.documented(Problem)},
    )
    app.state.office = office
    app.state.worker = background
    app.state.watch = watch
    app.state.metrics = metrics
    app.state.running = Running()
    app.add_middleware(BodyLimit)
    problems.install(app)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured, metrics=metrics)
    for part in (registers, verification, health, docs, applications, documents, entries, records, pages):
        app.include_router(part.router)
    app.mount("/static", Static(directory=STATIC))
    return app
