"""Which ports the services of a local deployment listen on, and whether they can be had."""

import os
import socket
from collections.abc import Mapping

from deploy.local.environment import DEFAULT_PORTS, free_port


class PortUnusable(Exception):
    """One line that says which port, and what to do."""


def service_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The port of each service: ``REGISTRY_PORT`` and so on, or the documented one.

    Raises PortUnusable where it is not a port, or something holds it.
    """
    ports = {}
    for service, default in DEFAULT_PORTS.items():
        variable = f"{service.upper()}_PORT"
        text = environment.get(variable) or str(default)
        if not text.isdecimal() or not 0 < int(text) < 65_536:
            raise PortUnusable(f"{variable} is {text!r}: give a port from 1 to 65535.")
        if not is_free(int(text)):
            raise PortUnusable(
                f"Port {text}, for {service}, is busy: stop what holds it, or set {variable} "
                "to another."
            )
        ports[service] = int(text)
    return ports


def spare_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """As ``service_ports``, but where a documented port is held any free one does as well."""
    chosen = {
        f"{service.upper()}_PORT": str(default if is_free(default) else free_port())
        for service, default in DEFAULT_PORTS.items()
    }
    return service_ports({**chosen, **environment})


def is_free(port: int) -> bool:
    """Whether a service could listen on this port of the loopback now."""
    with socket.socket() as probe:
        # As the services do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
