"""The service's latency: from Prometheus, or from scrapes of its own /metrics. See `service.py` for when which."""

from console.sources.metrics.service import ServiceMetrics
from console.sources.metrics.window import ScrapeWindow

__all__ = ["ScrapeWindow", "ServiceMetrics"]
