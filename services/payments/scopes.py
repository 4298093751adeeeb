"""Who may: the scopes of this service's routes, as types."""

from typing import Annotated

from shared.auth import Caller, require

FundsRead = Annotated[Caller, require("funds:read")]
FundsWrite = Annotated[Caller, require("funds:write")]
PaymentsRead = Annotated[Caller, require("payments:read")]
PaymentsWrite = Annotated[Caller, require("payments:write")]
CashListsWrite = Annotated[Caller, require("cash-lists:write")]
PaymentsApprove = Annotated[Caller, require("payments:approve")]
StatementsWrite = Annotated[Caller, require("statements:write")]
CallbacksRead = Annotated[Caller, require("callbacks:read")]
WebhooksRead = Annotated[Caller, require("webhooks:read")]
SubscriptionsRead = Annotated[Caller, require("subscriptions:read")]
SubscriptionsWrite = Annotated[Caller, require("subscriptions:write")]
