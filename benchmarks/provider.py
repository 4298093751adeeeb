"""The lean provider of batches, as the measurements start, ask and end it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import httpx

from benchmarks.clients.provider import HOST
from deploy.local.environment import CURRENCY, PROVIDERS

_END_SECONDS = 10
_BATCH_LINES = 20_000
_BATCHES_AT_ONCE = 64
_RECOGNISES_REPEATS_SECONDS = 86_400


class BatchProvider:
    """The process of ``benchmarks.clients.provider``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._client = httpx.Client(base_url=f"http://{HOST}:{port}", timeout=60)

    @property
    def settings(self) -> str:
        """PAYMENTS_PROVIDERS with the local deployment's providers as ones that take batches."""
        return json.dumps(
            [
                {
                    "code": code,
                    "name": name,
                    "protocol": "gsma-mobile-money-1.2-batches",
                    "base_url": f"http://{HOST}:{self._port}/{code}/v1.2",
                    "currency": CURRENCY,
                    "recognises_repeats_seconds": _RECOGNISES_REPEATS_SECONDS,
                    "batch_lines": _BATCH_LINES,
                    "batches_at_once": _BATCHES_AT_ONCE,
                }
                for code, name in PROVIDERS.items()
            ]
        )

    def start(self, webhook_secrets: Mapping[str, str]) -> None:
        """Start it; returns once it serves."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.clients.provider", str(self._port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"secrets": dict(webhook_secrets)}) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        """End it in good order."""
        self._client.close()
        try:
            # It ends with its input.
            self._process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def hold(self) -> None:
        """Let it pay nothing of what is approved from now on."""
        self._client.put("/held").raise_for_status()

    def let_go(self) -> None:
        """Let it pay all that was held, and call back."""
        self._client.delete("/held").raise_for_status()

    def summary(self) -> dict[str, Any]:
        """``batches``, lines ``paid``, lines to be paid ``twice``, and ``minor`` units."""
        told: dict[str, Any] = self._client.get("/summary").raise_for_status().json()
        return told
