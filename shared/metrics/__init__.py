"""What a service tells of itself to whoever watches it, in the format that Prometheus reads."""

from shared.metrics.measures import Measuring, gauge
from shared.metrics.monitoring import Monitoring

__all__ = ["Measuring", "Monitoring", "gauge"]
