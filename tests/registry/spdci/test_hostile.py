"""Messages that nobody meant: whatever they hold, they are answered, and nothing breaks."""

import copy
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.spdci.applications import examples
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.spdci.partner import Partner
from tests.registry.spdci.signing import signed_environment
from tests.server import eventually

environment = signed_environment

SCOPES = ("spdci:social", "spdci:beneficiaries", "households:read-personal")
ADDRESSES = {
    "/spdci/social/registry/sync/search": examples.SEARCH,
    "/spdci/social/registry/search": examples.SEARCH,
    "/spdci/social/registry/subscribe": examples.SUBSCRIBE,
    "/spdci/social/registry/unsubscribe": examples.UNSUBSCRIBE,
    "/spdci/social/registry/sync/txn/status": examples.TXN_STATUS,
    "/spdci/social/registry/txn/status": examples.TXN_STATUS,
    "/spdci/ibr/registry/sync/search": examples.SEARCH_BENEFICIARIES,
    "/spdci/ibr/registry/search": examples.SEARCH_BENEFICIARIES,
    "/spdci/ibr/registry/sync/enrolled": examples.ENROLLED,
    "/spdci/ibr/registry/sync/enrollment/updates": examples.ENROLMENTS_TOLD,
    "/spdci/ibr/registry/sync/txn/status": examples.TXN_STATUS,
    "/spdci/ibr/registry/txn/status": examples.TXN_STATUS,
    **{
        f"/spdci/social/registry/{'txn/on-status' if action == 'txn-on-status' else action}": each
        for action, each in examples.CALLBACKS.items()
    },
}
EXAMPLES = int(os.environ.get("SPDCI_EXAMPLES", "10"))
"""Of each message."""
_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "UIN", "MOBILE", "GROUP_ID", "IDPOOR", "location", "group_size", "age", "programmes",
            "enrolment_date", "enrolment_status", "birth_date", "last_updated", "eq", "in", "ge",
            "and", "not", "KH", "02", "Group", "Member", "predicate", "expression", "idtype-value",
            "graphql", "0001-01-01", "9999-12-31T23:59:59-14:00", "\x00", "\ud800", "1e400",
            "REGISTER", "NewHouseHoldMember", "search", "subscibe", "subscribe", "sex", "male",
            "is_pregnant", "pregnant", "residence", "poverty_status", "desc", "asc", "$and", "$or",
            "$not", "$eq", "$in", "%", "_", "02' OR 1=1", "NaN", "Infinity", "-1", "9" * 40,
            "2026-02-30", "10000-01-01", "2026-01-01T00:00:00+24:00", "x" * 5_000,
            "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10", "urn:uuid:", "transaction_id",
            "reference_id_list", "correlation_id", "HouseholdChanged", "covid-cash", "Active",
        ]
    ),
)  # fmt: skip
_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(min_value=-(2**53), max_value=2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        _TEXTS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(_TEXTS, inner, max_size=4),
        # What is asked about, compared with anything.
        st.fixed_dictionaries(
            {"attribute_name": _TEXTS, "operator": _TEXTS, "attribute_value": inner}
        ),
    ),
    max_leaves=12,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += _places(inner, (*at, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += _places(inner, (*at, number))
    return found


@st.composite
def _messages(draw: st.DrawFn, path: str) -> dict[str, Any]:
    message: dict[str, Any] = copy.deepcopy(ADDRESSES[path]["message"])
    for _ in range(draw(st.integers(1, 4))):
        places = _places(message)
        if not places:
            break
        place = draw(st.sampled_from(places))
        holder: Any = message
        for name in place[:-1]:
            holder = holder[name]
        if draw(st.integers(0, 9)):
            holder[place[-1]] = draw(_VALUES)
        else:
            del holder[place[-1]]
    return message


def _drawn(path: str) -> list[dict[str, Any]]:
    drawn: list[dict[str, Any]] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_messages(path))
    def gather(message: dict[str, Any]) -> None:
        drawn.append(message)

    gather()
    return drawn


async def test_nothing_that_is_sent_breaks_an_application(flow: Flow) -> None:
    partner = await Partner(flow, scopes=SCOPES).registered(callback_url="http://127.0.0.1:9/spdci")
    await flow.register(rows(2))
    listed, _ = await ids_of(flow.owner, "020101")
    await store(flow, {listed: [Person(programmes=("covid-cash",)), Person(birth_date=None)]})
    broken: list[Any] = []
    for path in sorted(ADDRESSES):
        action = ADDRESSES[path]["header"]["action"]
        status = "succ" if action.startswith(("on-", "notify", "txn-on-")) else None
        for message in _drawn(path):
            try:
                envelope = partner.envelope(action, 1, message, status=status)
            except Exception:  # noqa: S112
                # RFC 8785 has no form for it: nobody could sign it.
                continue
            answer = await partner.send(path, envelope)
            if answer.status_code >= 500:
                broken.append((path, answer.text, message))
    assert not broken, broken[:3]

    async def all_are_answered() -> bool:
        return not await flow.owner.fetchval(
            "SELECT count(*) FROM registry.partner_request WHERE status = 'waiting'"
        )

    await eventually(all_are_answered)
    assert (
        await flow.owner.fetchval(
            "SELECT count(*) FROM registry.partner_request WHERE status = 'dropped'"
        )
        == 0
    )
