"""In which ways a payment has no end, or not the end that was wanted, and the way out of each."""

from dataclasses import dataclass
from enum import StrEnum


class UnresolvedKind(StrEnum):
    NOT_FUNDED = "not_funded"
    NOT_RELEASED = "not_released"
    PAUSED = "paused"
    HELD_BY_RULE = "held_by_rule"
    ACCOUNT_NOT_CHECKED = "account_not_checked"
    NOT_SENT_TOO_LONG = "not_sent_too_long"
    PENDING_TOO_LONG = "pending_too_long"
    UNKNOWN_TOO_LONG = "unknown_too_long"
    NOT_KNOWN_TO_PROVIDER = "not_known_to_provider"
    PROVIDER_NOT_CONFIGURED = "provider_not_configured"
    HELD = "held"
    RETURNED = "returned"
    REJECTED = "rejected"
    BOOKED_BUT_REJECTED = "booked_but_rejected"
    ANSWER_NOT_APPLIED = "answer_not_applied"
    UNPAYABLE = "unpayable"
    CALLBACK_UNMATCHED = "callback_unmatched"
    CALLBACK_BLOCKED = "callback_blocked"
    CALLBACK_MALFORMED = "callback_malformed"


@dataclass(frozen=True, slots=True)
class Way:
    """What a kind means, and what is to be done about it."""

    meaning: str
    what_to_do: str


_DECIDE = "POST /v1/resolutions, for one, a list or all of a sort; another person approves it."

WAYS: dict[UnresolvedKind, Way] = {
    UnresolvedKind.NOT_FUNDED: Way(
        "Its fund, or the budget line that it is booked on, does not cover the whole of its round, "
        "so nothing of that is sent.",
        "GET /v1/rounds?status=unfunded says what is missing; POST /v1/funds/{fund_code}/deposits, "
        "or POST /v1/funds/{fund_code}/budget-lines; another person approves it. It goes on by "
        "itself.",
    ),
    UnresolvedKind.NOT_RELEASED: Way(
        "Its round is above what its fund lets go by itself, so nothing of that is sent.",
        "GET /v1/rounds?status=unapproved says why; POST /v1/rounds/{number}/release; another "
        "person approves it. Or POST /v1/funds/{fund_code}/bounds.",
    ),
    UnresolvedKind.PAUSED: Way(
        "It is released, and somebody paused what it belongs to; or the provider does not know it, "
        "and it is not sent again before that is resumed.",
        "GET /v1/pauses says by whom and why; POST /v1/pauses/{pause_id}/resumption; another "
        "person approves it. It goes on by itself.",
    ),
    UnresolvedKind.HELD_BY_RULE: Way(
        "A rule of its scheme keeps it from being sent; its reason names the rules.",
        "GET /v1/holds says what the rule found; POST /v1/holds/decisions lets it go or cancels "
        "it, all of a sort at once; another person approves it.",
    ),
    UnresolvedKind.ACCOUNT_NOT_CHECKED: Way(
        "Nothing could be learnt of its account for several times, so it is not sent; its reason "
        "says what is in the way.",
        "It is asked again by itself. GET /v1/providers says whether the provider answers. To pay "
        "unseen, set account_checks_away to go_on, or take account_checks out, in "
        f"PAYMENTS_PROVIDERS. Not to pay: {_DECIDE} Its outcome is cancelled.",
    ),
    UnresolvedKind.NOT_SENT_TOO_LONG: Way(
        "It is released and was not sent for longer than is usual: its provider's float does not "
        "cover it, the provider does not answer, or its account is being checked.",
        "GET /v1/providers says what waits for which float; "
        "POST /v1/providers/{provider_code}/prefundings; another person approves it. It goes on "
        "by itself.",
    ),
    UnresolvedKind.PENDING_TOO_LONG: Way(
        "The provider has it and has not decided for longer than is usual.",
        f"Ask the provider. {_DECIDE} Its outcome is settled or rejected.",
    ),
    UnresolvedKind.UNKNOWN_TOO_LONG: Way(
        "It may have been sent, and the provider does not say what became of it.",
        f"Ask the provider. {_DECIDE} Its outcome is settled, rejected or resend.",
    ),
    UnresolvedKind.NOT_KNOWN_TO_PROVIDER: Way(
        "The provider says that it does not know it, and no machine may send it again; one whose "
        "activation was cancelled is not to be sent again at all.",
        f"Make sure with the provider that it was not paid. {_DECIDE} Its outcome is resend, or "
        "rejected; with the reason activation_cancelled, rejected.",
    ),
    UnresolvedKind.PROVIDER_NOT_CONFIGURED: Way(
        "Its provider is not in the settings any more, so nobody sends it or asks about it.",
        f"Put the provider back into PAYMENTS_PROVIDERS, or decide without it. {_DECIDE} What is "
        "ready is cancelled, what was sent is settled or rejected.",
    ),
    UnresolvedKind.HELD: Way(
        "What the provider says contradicts our order, or what it said before.",
        f"Compare with the provider's statement. {_DECIDE} Its outcome is settled or returned; a "
        "difference is booked.",
    ),
    UnresolvedKind.RETURNED: Way(
        "It was paid and came back: the household does not have it.",
        "Mend the household's account; the registry announces it again: "
        "POST /v1/activations/{activation_id}/repairs of the registry. What nobody claims goes "
        "back to its fund: POST /v1/reclaims; another person approves it.",
    ),
    UnresolvedKind.REJECTED: Way(
        "The provider did not pay it, and it was not tried again.",
        "POST /v1/instructions/{instruction_id}/attempts for the same account, and another person "
        "approves it; or mend the household's account, and "
        "POST /v1/activations/{activation_id}/repairs of the registry.",
    ),
    UnresolvedKind.BOOKED_BUT_REJECTED: Way(
        "The provider paid it after rejecting it, and the float or the fund cannot bear that.",
        "POST /v1/providers/{provider_code}/prefundings or POST /v1/funds/{fund_code}/deposits; "
        "another person approves it. Then it is held by itself, and decided on.",
    ),
    UnresolvedKind.ANSWER_NOT_APPLIED: Way(
        "What a provider said is kept, and could not be applied yet.",
        "It is tried again by itself; GET /v1/alarms?instruction_id= says what is in the way. "
        "Nobody decides about its payment before it is applied.",
    ),
    UnresolvedKind.UNPAYABLE: Way(
        "It could not even be tried; its reason says what is wrong with its account or amount.",
        "Mend the household's account, or where it is above-maximum the fund's bounds, with "
        "POST /v1/funds/{fund_code}/bounds; the registry announces it again: "
        "POST /v1/activations/{activation_id}/repairs of the registry.",
    ),
    UnresolvedKind.CALLBACK_UNMATCHED: Way(
        "A callback speaks of a payment that is not here, or not at that provider.",
        "Ask the provider what it paid by that reference: GET /v1/webhooks?status=unmatched.",
    ),
    UnresolvedKind.CALLBACK_BLOCKED: Way(
        "A callback cannot be applied now; its reason says why.",
        "Remove the cause; it is tried again by itself: GET /v1/webhooks?status=blocked.",
    ),
    UnresolvedKind.CALLBACK_MALFORMED: Way(
        "A callback that the provider signed cannot be understood.",
        "Ask the provider what it meant: GET /v1/webhooks?status=malformed.",
    ),
}
