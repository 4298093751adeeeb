"""Steps that need two persons: somebody proposes, somebody else decides, and it says who and why.

A service keeps its proposals in a table of its own, which derives from ``Approval``, and names the
kinds of steps that it has, each with what carries it out. What waits is one list in each service.
"""

from shared.approvals.schemas import ApprovalOut, ApprovalStatus, Reason
from shared.approvals.steps import Effect, Step, Steps
from shared.approvals.tables import Approval, Decision

__all__ = [
    "Approval",
    "ApprovalOut",
    "ApprovalStatus",
    "Decision",
    "Effect",
    "Reason",
    "Step",
    "Steps",
]
