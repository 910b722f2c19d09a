"""Figures for Prometheus. No label holds an id or anything of a person."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.status import Part, Status

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Those of one app. `newest` gives the newest status of its office."""

    def __init__(self, newest: Callable[[], Status]) -> None:
        self.registry = CollectorRegistry()
        shared: dict[str, Any] = {"registry": self.registry, "buckets": SECONDS}
        self.requests = Histogram(
            "khalayak_http_request_seconds", "From request to answer.", ["method", "route", "status"], **shared
        )
        self.steps = Histogram("khalayak_worker_step_seconds", "Steps of a part of the worker.", ["part"], **shared)
        self.failures = Counter(
            "khalayak_worker_failures", "Steps that failed.", ["part", "error"], registry=self.registry
        )
        self.registry.register(_Office(newest))


class _Office(Collector):
    """The status of the office as gauges, made anew for each scrape: what is not known has no value."""

    def __init__(self, newest: Callable[[], Status]) -> None:
        self._newest = newest

    def describe(self) -> list[Any]:
        return []  # else the registry would ask for the status when this is registered

    def collect(self) -> Iterator[GaugeMetricFamily]:
        status = self._newest()
        parts = {part.name: part for part in status.parts}
        yield _gauge("khalayak_status_time_seconds", "When the office was last looked at.", {(): status.time})
        states = {(part.name, state): part.state == state for part in status.parts for state in _STATES}
        yield _gauge("khalayak_part", "1 for the state that a part is in.", states, "part", "state")
        obstacles = {(part.name, item.name): 1 for part in status.parts for item in part.obstacles}
        yield _gauge("khalayak_obstacle", "1 for each obstacle there is.", obstacles, "part", "obstacle")
        yield from _queue(parts["queue"])
        yield from _chain(parts["chain"])
        yield from _publisher(parts["publisher"])
        waiting = parts["documents"].figures.get("waiting")
        yield _gauge("khalayak_documents_waiting", "To be replicated.", {} if waiting is None else {(): waiting})


_STATES = ("fine", "troubled", "unknown")


def _gauge(name: str, help_: str, values: dict[tuple[str, ...], float], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def _queue(part: Part) -> Iterator[GaugeMetricFamily]:
    waiting = part.figures.get("waiting", {})
    numbers = {(state,): item["number"] for state, item in waiting.items()}
    ages = {(state,): item["oldestSeconds"] for state, item in waiting.items()}
    leases = {(lease["name"],): lease["seconds"] for lease in part.figures.get("leases", [])}
    yield _gauge("khalayak_queue_applications", "Applications in a state.", numbers, "state")
    yield _gauge("khalayak_queue_oldest_seconds", "Since when the oldest is in its state.", ages, "state")
    yield _gauge("khalayak_lease_seconds", "That a lease still holds.", leases, "lease")


def _chain(part: Part) -> Iterator[GaugeMetricFamily]:
    figures = part.figures
    blocks = {(tag,): figures[tag] for tag in ("latest", "final") if tag in figures}
    age = {(): figures["finalitySeconds"]} if "finalitySeconds" in figures else {}
    lags = {(register,): lag for register, lag in figures.get("lag", {}).items()}
    yield _gauge("khalayak_chain_block", "The number of the newest block.", blocks, "tag")
    yield _gauge("khalayak_chain_finality_seconds", "The age of the newest final block.", age)
    yield _gauge("khalayak_register_lag_blocks", "Final blocks that were not read yet.", lags, "register")


def _publisher(part: Part) -> Iterator[GaugeMetricFamily]:
    relayers = part.figures.get("relayers", {})

    def of(figure: str) -> dict[tuple[str, ...], float]:
        return {(name,): float(found[figure]) for name, found in relayers.items() if figure in found}

    states = ("signed", "sent", "included")
    sent: dict[tuple[str, ...], float] = {(name, s): found[s] for name, found in relayers.items() for s in states}
    yield _gauge("khalayak_relayer_transactions", "Transactions in a state.", sent, "relayer", "state")
    yield _gauge("khalayak_relayer_balance_wei", "What a relayer can spend.", of("balance"), "relayer")
    yield _gauge("khalayak_relayer_nonce", "The next nonce, by the chain.", of("nextNonce"), "relayer")
    age = of("unminedSeconds")
    yield _gauge("khalayak_relayer_unmined_seconds", "Since when the lowest unmined nonce waits.", age, "relayer")


class Measured:
    """Notes how long each answer took, by the template of its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), "none"

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, noting_status)
        finally:
            # A path that no route takes, and a method that nobody knows, are a visitor's own words.
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.requests.labels(method, route, status).observe(time.perf_counter() - started)
