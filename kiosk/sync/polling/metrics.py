"""Metrics in Prometheus' text form (exposition format 0.0.4), for ``GET /metrics``."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.sync.context import SyncContext
from kiosk.sync.polling.heartbeat import queue_state

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Metric:
    """One metric with its samples: label text (``{a="b"}`` or empty) and value."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[str, float], ...]

    def text(self) -> str:
        """Return its lines."""
        head = f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.kind}\n"
        return head + "".join(f"{self.name}{label} {value:g}\n" for label, value in self.samples)


def metrics_text(context: SyncContext) -> str:
    """Return all metrics of sync."""
    queue = queue_state(context)
    counts = {"filings": queue.filings, "hearings": queue.hearings, "reports": queue.reports}
    alarms = [
        (f'{{code="{alarm.code}",source="{alarm.source}"}}', 1.0)
        for alarm in context.alarms.active()
    ]
    metrics = (
        Metric(
            "kiosk_link_up",
            "gauge",
            "Whether the central system answered the last time.",
            (("", float(context.link.is_up)),),
        ),
        Metric(
            "kiosk_queue_items",
            "gauge",
            "Items that wait for delivery.",
            tuple((f'{{kind="{kind}"}}', float(count)) for kind, count in counts.items()),
        ),
        Metric(
            "kiosk_queue_bytes",
            "gauge",
            "Bytes that wait for delivery.",
            (("", float(queue.bytes)),),
        ),
        Metric(
            "kiosk_sent_bytes_total",
            "counter",
            "Bytes of files sent since the start.",
            (("", float(context.progress.bytes_sent)),),
        ),
        Metric(
            "kiosk_preemptions_total",
            "counter",
            "Times a transfer gave way to something urgent.",
            (("", float(context.lanes.preemption_count)),),
        ),
        Metric(
            "kiosk_database_rebuilt",
            "gauge",
            "Whether the index was rebuilt at this start.",
            (("", float(context.is_rebuilt)),),
        ),
        Metric("kiosk_alarm", "gauge", "Alarms in force.", tuple(alarms)),
    )
    return "".join(metric.text() for metric in metrics)
