"""Schemes beside the routine programmes: one tops them up, the other reaches who they do not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from judge.witnesses import statements
from judge.witnesses.rules import as_sql
from services.registry.schemes.shipped import shipped_document
from shared.clock import FileClock
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, store
from tests.registry.test_members import enrolled

CASH = "pregnant-women-and-children"


async def test_a_scheme_tops_up_a_programme_and_another_reaches_beyond_it(working: Flow) -> None:
    today = FileClock(working.clock_file).today()
    mother = Person(programmes=(CASH,))
    baby = Person(birth_date=today - timedelta(days=100), relationship="child")
    in_cash = Person(birth_date=today - timedelta(days=100), programmes=(CASH,))
    pupil = Person(relationship="child", programmes=("scholarship", "school-meals"))
    old = Person(birth_date=today.replace(year=today.year - 70))
    # What each gets of the top-up, and of the scheme for whoever is reached by nothing.
    households = {
        "topped up": ([mother, baby], "poor-1", 80_000, None),
        "topped up for two": ([mother, in_cash], "poor-2", 120_000, None),
        "topped up, poor or not": ([mother], "not-poor", 80_000, None),
        "paid by another programme": (
            [Person(programmes=("disability-allowance",), disability=True), baby],
            "poor-1",
            None,
            None,
        ),
        "reached by nothing": ([Person(), baby, old], "at-risk", None, 160_000),
        "fed and taught at school": ([Person(), pupil, old], "poor-1", None, 144_000),
        "without anybody who is vulnerable": ([Person(), pupil], "poor-1", None, None),
        "not poor": ([Person(), baby], "not-poor", None, None),
        "only counted": (None, "poor-1", None, None),
        "not in the programme any more": ([Person(), baby], "poor-1", None, 128_000),
    }
    await working.register(
        [
            row
            for number, (_, status, _, _) in enumerate(households.values())
            for row in rows(1, begin=number, poverty_status=status)
        ]
    )
    ids = {
        name: await working.household_id(f"KH-020101-{number:06d}")
        for number, name in enumerate(households)
    }
    await store(
        working,
        {UUID(ids[name]): people for name, (people, *_) in households.items() if people},
        today=today,
    )
    await working.owner.execute(
        "INSERT INTO registry.programme_membership (member_id, programme_code, number, until) "
        "SELECT id, $2, 1, $3 FROM registry.member WHERE household_id = $1",
        UUID(ids["not in the programme any more"]),
        CASH,
        today,
    )
    for at, code in ((2, "routine-top-up"), (3, "beyond-routine")):
        await working.post_scheme(code)
        activation_id = await working.open("0201", scheme=code)
        await working.worked(activation_id)
        amounts = {
            str(row["household_id"]): row["amount_minor"]
            for row in await enrolled(working, activation_id)
        }
        assert amounts == {
            ids[name]: expected[at]
            for name, expected in households.items()
            if expected[at] is not None
        }, code
        # So does PostgreSQL's own reading of the rule, by which the judge counts.
        eligible = await working.owner.fetchval(
            statements.ELIGIBLE.format(
                eligibility=as_sql(shipped_document(code)["eligibility"]), area_filter="true"
            ),
            ["0201"],
            datetime.now(UTC) + timedelta(days=3_650),
            today,
        )
        assert eligible == len(amounts)


async def test_a_scheme_that_asks_about_no_programme_that_there_is_is_refused(flow: Flow) -> None:
    document = shipped_document("routine-top-up")
    for changes, pointer in (
        (
            {"eligibility": "any_member(A_CONTAINS(programmes, ('covid-cash', 'covid-csh')))"},
            "/body/eligibility",
        ),
        (
            {"benefit": [{"where": "any_member(A_OVERLAPS(programmes, ('x1')))", "base_minor": 1}]},
            "/body/benefit/0/where",
        ),
    ):
        refused = await flow.post("/schemes", document | changes, status=422)
        assert [error["pointer"] for error in refused["errors"]] == [pointer]
        assert "GET /v1/programmes" in refused["detail"]
