"""The services and the processes that they run as: what is started, deployed and checked."""

SERVICES = ("registry", "triggers", "payments")
PARTS = ("api", "worker")
PROCESSES = tuple(f"{service}-{part}" for service in SERVICES for part in PARTS)

DEFAULT_PORTS = {"registry": 8001, "triggers": 8002, "payments": 8003}
"""Where each API listens unless ``REGISTRY_PORT`` and so on say otherwise."""
