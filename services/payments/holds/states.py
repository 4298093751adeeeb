"""By which rules a payment is held before it is sent."""

from enum import StrEnum


class HoldRule(StrEnum):
    SAME_ACCOUNT = "same_account"
    """One account is to be paid for more households than the scheme lets it."""
    ABOVE_CAP = "above_cap"
    """The household would come to more than the scheme's cap, over all activations."""
    SUSPECTED_DUPLICATE = "suspected_duplicate"
    """The household is paid by another activation of the scheme, a short time before."""
    ACCOUNT_NAME = "account_name"
    """Who holds the account is not called like the household: the provider's settings say how
    alike the names have to be."""
    PERHAPS_TRIED_ANEW = "perhaps_tried_anew"
    """Commits were lost since it was rejected before, and whoever may have had a further attempt
    cannot be asked about it, or may have forgotten it."""
