"""The services and the processes that they run as: what is started, deployed and checked."""

SERVICES = ("registry", "triggers", "payments")
PARTS = ("api", "worker")
PROCESSES = tuple(f"{service}-{part}" for service in SERVICES for part in PARTS)
SCHEDULED = {"duplicates": "registry-duplicates"}
"""Commands that are run by the clock and end, and the name by which each has its settings."""

DEFAULT_PORTS = {"registry": 8001, "triggers": 8002, "payments": 8003}
"""Where each API listens unless ``REGISTRY_PORT`` and so on say otherwise."""
