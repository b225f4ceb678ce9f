"""Numbers for Prometheus, under vLLM's names where they mean the same."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from clara_trainer.serve.row import Piece, Row

LATENCIES = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LABELS = ("model_name",)


class Metrics:
    """Told by the decode loop, in its thread. `base`: the value of the label model_name; adapters have their own."""

    def __init__(self, base: str) -> None:
        self.base = base
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.running = self.gauge("vllm:num_requests_running", "Rows that the decode loop holds")
        self.waiting = self.gauge("vllm:num_requests_waiting", "Rows that wait for a place")
        self.cache = self.gauge("clara_engine_kv_cache_bytes", "Memory of the keys and values of all rows")
        self.loaded = self.gauge("clara_engine_adapters", "Adapters that are loaded")
        self.threads = self.gauge("clara_engine_threads", "Threads that the model computes with")
        self.prompt = self.counter("vllm:prompt_tokens", "Tokens of prompts read")
        self.written = self.counter("vllm:generation_tokens", "Tokens written")
        self.preemptions = self.counter("vllm:num_preemptions", "Rows that gave their place back for want of memory")
        self.success = Counter(
            "vllm:request_success", "Rows that ended", (*LABELS, "finished_reason"), registry=self.registry
        )
        self.first = self.histogram("vllm:time_to_first_token_seconds", "From arrival to the first token")
        self.between = self.histogram("vllm:inter_token_latency_seconds", "Between two tokens of a row")
        self.whole = self.histogram("vllm:e2e_request_latency_seconds", "From arrival to the end of a row")
        self.queue = self.histogram("vllm:request_queue_time_seconds", "From arrival to a place in the loop")
        self.step_seconds = self.histogram("clara_engine_step_seconds", "One forward over all running rows")
        self.step_rows = self.counter("clara_engine_step_rows", "Rows in all steps")

    def gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, LABELS, registry=self.registry)

    def counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, LABELS, registry=self.registry)

    def histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, LABELS, buckets=LATENCIES, registry=self.registry)

    def label(self, row: Row) -> str:
        return self.base if row.wish.adapter is None else row.wish.adapter.name

    def step(self, seconds: float, rows: int) -> None:
        self.step_seconds.labels(self.base).observe(seconds)
        self.step_rows.labels(self.base).inc(rows)

    def news(self, row: Row, piece: Piece) -> None:
        if not piece.tokens:
            return
        now, name = time.monotonic(), self.label(row)
        self.written.labels(name).inc(piece.tokens)
        if row.last_token is None:
            self.first.labels(name).observe(now - row.arrived)
            self.queue.labels(name).observe((row.started or now) - row.arrived)
            self.prompt.labels(name).inc(len(row.wish.prompt))
        else:
            self.between.labels(name).observe(now - row.last_token)
        row.last_token = now

    def gave_way(self) -> None:
        self.preemptions.labels(self.base).inc()

    def left(self, row: Row, piece: Piece) -> None:
        name = self.label(row)
        self.whole.labels(name).observe(time.monotonic() - row.arrived)
        self.success.labels(name, piece.finish or "error").inc()

    def text(self, rows: tuple[int, int], facts: tuple[int, int, int]) -> bytes:
        """`rows`: running and waiting; `facts`: bytes of the cache, adapters, threads."""
        gauges = (self.running, self.waiting, self.cache, self.loaded, self.threads)
        for gauge, value in zip(gauges, (*rows, *facts), strict=True):
            gauge.labels(self.base).set(value)
        return generate_latest(self.registry)

    def forget(self, adapter: str) -> None:
        """An adapter that was unloaded leaves no series behind."""
        for metric in (self.prompt, self.written, self.first, self.between, self.whole, self.queue):
            metric.remove_by_labels({"model_name": adapter})
        self.success.remove_by_labels({"model_name": adapter})
