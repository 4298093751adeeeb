"""What a follower is sent adds up to what there is, whichever of the changes it reads."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.payments.instructions.states import Status
from services.payments.progress.changes import View
from services.payments.progress.schemas import ProgressOut
from services.payments.progress.standing import By, Counted, Standing
from services.payments.rounds.states import RoundStatus

ACTIVATION = UUID(int=1)
BEGUN_AT = datetime(2020, 10, 12, tzinfo=UTC)

COUNTS = st.builds(
    Counted,
    round=st.integers(1, 2),
    scheme=st.just("flood"),
    round_status=st.sampled_from(RoundStatus),
    currency=st.sampled_from(["KHR", "USD"]),
    district_code=st.sampled_from(["", "0201", "0202", "1501"]),
    provider=st.sampled_from(["mekong", "tonle"]),
    status=st.sampled_from(Status),
    withheld=st.booleans(),
    count=st.integers(1, 5),
    amount_minor=st.integers(1, 10),
    changed_at=st.just(BEGUN_AT),
)


def view_of(counts: list[Counted], *, by: By | None, seconds: int) -> View:
    standing = Standing(
        at=BEGUN_AT + timedelta(seconds=seconds),
        announced=[],
        counts=counts,
        pauses=[],
        ended_count=seconds,
        ended_seconds=60.0,
    )
    return View.of(ProgressOut.of(ACTIVATION, standing, by=by))


def read(event: bytes) -> tuple[str, str, dict[str, Any]]:
    name, event_id, data = event.decode().removesuffix("\n\n").split("\n")
    return (
        name.removeprefix("event: "),
        event_id.removeprefix("id: "),
        json.loads(data.removeprefix("data: ")),
    )


@given(
    st.lists(st.lists(COUNTS, max_size=8), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.none() | st.sampled_from(By),
)
def test_a_follower_that_skips_some_comes_to_the_same(
    moments: list[list[Counted]], is_read: list[bool], by: By | None
) -> None:
    views = [view_of(counts, by=by, seconds=second) for second, counts in enumerate(moments)]
    sent = views[0]
    name, event_id, body = read(sent.snapshot())
    assert (name, event_id) == ("snapshot", sent.id)
    for view, takes in zip(views[1:], is_read, strict=False):
        if not takes and view is not views[-1]:
            continue
        if view.id == sent.id:
            continue
        name, event_id, said = read(view.change(sent))
        assert (name, event_id) == ("change", view.id)
        groups = {group["key"]: group for group in body["groups"]}
        groups |= {group["key"]: group for group in said.pop("groups", [])}
        body = {**body, **said, "groups": [each for each in groups.values() if each["states"]]}
        sent = view
    last = dict(views[-1].body)

    def by_key(group: dict[str, Any]) -> str:
        return group["key"] or ""

    # Of the moment is what was said last; all that is counted is what there is.
    for name in ("announced", "totals", "waits", "at_rest", "by"):
        assert body[name] == last[name]
    assert sorted(body["groups"], key=by_key) == sorted(last["groups"], key=by_key)


@given(st.lists(COUNTS, max_size=8), st.integers(0, 3600), st.sampled_from(By))
def test_the_same_counts_have_the_same_id(counts: list[Counted], seconds: int, by: By) -> None:
    view = view_of(counts, by=by, seconds=0)
    assert view.id == view_of(list(reversed(counts)), by=by, seconds=seconds).id
    assert view.id != view_of(counts, by=None, seconds=0).id
