"""How far a backtest has come."""

from enum import StrEnum


class BacktestState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
