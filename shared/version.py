"""The product's version: every service, every OpenAPI document and the build tell this one."""

VERSION = "0.2.0"

API_PREFIX = "/v1"
"""Where every operation lies but the probes. A ``/v2`` would stand beside it, not replace it."""
