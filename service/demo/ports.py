"""Ports of the loopback interface."""

import socket

HOST = "127.0.0.1"


def why_not(port: int) -> str | None:
    """Why no server can listen there now; None if one can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not hold a port
        try:
            probe.bind((HOST, port))
        except PermissionError:
            return "is not open to this user"
        except OSError:
            return "is in use by another program"
    return None


def free_port(near: int | None = None) -> int:
    """A port that is free now: the next one above `near`, else any."""
    if near is not None:
        for port in range(near + 1, min(near + 100, 65_536)):
            if why_not(port) is None:
                return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        chosen: int = probe.getsockname()[1]
        return chosen
