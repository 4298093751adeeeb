"""Structured logs: one JSON object a line, without personal data.

Only what the code passes by name is logged: no request bodies, no query strings, no values of
exceptions (a database error's text quotes the row).
"""

import json
import logging
import sys

import structlog

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def configure_logging(*, process: str, level: str) -> None:
    """Log JSON lines to standard error, each with the process's name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    # Libraries: their warnings only, and never a library's rendering of SQL parameters or URLs.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlaceOnly())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # That an app did not start is told by the process, which knows why.
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.module != "on")


class _PlaceOnly(logging.Formatter):
    """Which library complained and from where, without its message and without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        place = f"{record.module}:{record.lineno}"
        return json.dumps(
            {"event": "library", "logger": record.name, "level": record.levelname, "at": place}
        )
