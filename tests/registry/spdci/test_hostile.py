"""Messages that nobody meant: whatever they hold, they are answered, and nothing breaks."""

import copy
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.spdci.applications import examples
from tests.registry.flow import Flow, rows
from tests.registry.spdci.partner import Partner
from tests.registry.spdci.signing import signed_environment

environment = signed_environment

SCOPES = ("spdci:social", "spdci:beneficiaries", "households:read-personal")
ADDRESSES = {
    "/spdci/social/registry/sync/search": examples.SEARCH,
    "/spdci/social/registry/search": examples.SEARCH,
    "/spdci/social/registry/subscribe": examples.SUBSCRIBE,
    "/spdci/social/registry/unsubscribe": examples.UNSUBSCRIBE,
    "/spdci/social/registry/sync/txn/status": examples.TXN_STATUS,
    "/spdci/social/registry/notify": examples.CALLBACKS["notify"],
    "/spdci/social/registry/on-search": examples.CALLBACKS["on-search"],
    "/spdci/ibr/registry/sync/search": examples.SEARCH_BENEFICIARIES,
    "/spdci/ibr/registry/sync/enrolled": examples.ENROLLED,
    "/spdci/ibr/registry/sync/enrollment/updates": examples.ENROLMENTS_TOLD,
    "/spdci/ibr/registry/sync/txn/status": examples.TXN_STATUS,
}
_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "UIN", "MOBILE", "GROUP_ID", "IDPOOR", "location", "group_size", "age", "programmes",
            "enrolment_date", "enrolment_status", "birth_date", "last_updated", "eq", "in", "ge",
            "and", "not", "KH", "02", "Group", "Member", "predicate", "expression", "idtype-value",
            "graphql", "0001-01-01", "9999-12-31T23:59:59-14:00", "\x00", "\ud800", "1e400",
            "REGISTER", "NewHouseHoldMember", "search", "subscibe",
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
        st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)
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
def _messages(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    path = draw(st.sampled_from(sorted(ADDRESSES)))
    example = ADDRESSES[path]
    message: dict[str, Any] = copy.deepcopy(example["message"])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(message)))
        holder: Any = message
        for name in place[:-1]:
            holder = holder[name]
        if draw(st.integers(0, 9)):
            holder[place[-1]] = draw(_VALUES)
        else:
            del holder[place[-1]]
            if not message:
                break
    return path, example["header"]["action"], message


async def test_nothing_that_is_sent_breaks_an_application(flow: Flow) -> None:
    partner = await Partner(flow, scopes=SCOPES).registered(callback_url="http://127.0.0.1:9/spdci")
    await flow.register(rows(2))
    broken: list[Any] = []
    sent: list[tuple[str, str, dict[str, Any]]] = []

    @settings(
        max_examples=int(os.environ.get("SPDCI_EXAMPLES", "150")),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_messages())
    def gather(message: tuple[str, str, dict[str, Any]]) -> None:
        sent.append(message)

    gather()
    for path, action, message in sent:
        try:
            status = "succ" if action in ("notify", "on-search") else None
            envelope = partner.envelope(action, 1, message, status=status)
        except Exception:  # noqa: S112
            # RFC 8785 has no form for it: nobody could sign it.
            continue
        answer = await partner.send(path, envelope)
        if answer.status_code >= 500:
            broken.append((path, answer.text, message))
    assert not broken, broken[:3]
    assert (
        await flow.owner.fetchval(
            "SELECT count(*) FROM registry.partner_request WHERE status = 'dropped'"
        )
        == 0
    )
