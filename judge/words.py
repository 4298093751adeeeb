"""The judge's own words for how things end.

Only ends are listed. Whatever else a service says, in this version or a later one, is no end: the
judge takes nothing for finished that it does not know.
"""

PAYMENT_ENDS = ("settled", "returned", "rejected", "cancelled")
PAYMENT_PAID = ("settled", "returned")
"""The provider made these payments; a returned one came back later."""

ENTITLEMENT_ENDS = ("paid", "failed", "unpayable", "excluded", "refused")
