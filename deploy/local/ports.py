"""Which ports a local deployment listens on, and whether they can be had."""

import os
import socket
from collections import deque
from collections.abc import Mapping

from deploy.local.environment import SANDBOX_PORT
from services.processes import DEFAULT_PORTS

_MOST_CLAIMS = 128

_claims: deque[int] = deque()
"""The sockets that hold the ports given, by their file descriptors, the oldest first."""


class PortUnusable(Exception):
    """One line that says which port, and what to do."""


def service_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The port of each service: ``REGISTRY_PORT`` and so on, or the documented one.

    Raises PortUnusable where it is not a port, or something holds it.
    """
    return {
        service: _port(service, default=default, environment=environment)
        for service, default in DEFAULT_PORTS.items()
    }


def sandbox_port(environment: Mapping[str, str] = os.environ) -> int:
    """The provider sandbox's port, ``SANDBOX_PORT`` or the documented one; as above."""
    return _port("sandbox", default=SANDBOX_PORT, environment=environment)


def _port(listener: str, *, default: int, environment: Mapping[str, str]) -> int:
    variable = f"{listener.upper()}_PORT"
    text = environment.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise PortUnusable(f"{variable} is {text!r}: give a port from 1 to 65535.")
    if not is_free(int(text)):
        raise PortUnusable(
            f"Port {text}, for {listener}, is busy: stop what holds it, or set {variable} "
            "to another."
        )
    return int(text)


def spare_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """As ``service_ports``, but where a documented port is held any free one does as well."""
    chosen = {
        f"{service.upper()}_PORT": str(default if is_free(default) else free_port())
        for service, default in DEFAULT_PORTS.items()
    }
    return service_ports({**chosen, **environment})


def free_port() -> int:
    """A loopback port that nothing holds now, and that no other process is given here meanwhile.

    A bound socket that does not listen keeps the port from whoever asks for any, but not from a
    server that asks for this one with ``SO_REUSEADDR``, as all of ours do. The claim ends with
    the process, or when many more were made since. Where the system does not let a server in
    beside it (only Linux surely does), the port is given unclaimed.
    """
    claim = socket.socket()
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    claim.bind(("127.0.0.1", 0))
    port = int(claim.getsockname()[1])
    if not is_free(port):
        claim.close()
        return port
    _claims.append(claim.detach())
    if len(_claims) > _MOST_CLAIMS:
        os.close(_claims.popleft())
    return port


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
