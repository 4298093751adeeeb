"""Whom a process trusts when it calls over TLS."""

import ssl
from functools import cache

import httpx


@cache
def trusted(*, trust_env: bool = True) -> ssl.SSLContext:
    """The usual certificates, read once: reading them takes longer than a call, and holds up
    every other. ``trust_env``: those that SSL_CERT_FILE or SSL_CERT_DIR names in their place."""
    return httpx.create_ssl_context(trust_env=trust_env)
