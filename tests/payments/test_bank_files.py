"""The file that a bank gets, and what its reports say: read whole, or refused, never raising."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import sepaxml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.payments.providers.bankfile.initiation import (
    NAMESPACE,
    Transfer,
    fits,
    initiation,
    made_at_of,
)
from services.payments.providers.bankfile.outcomes import Outcome
from services.payments.providers.bankfile.reports import Report, Unreadable, read_report
from services.payments.providers.batches import BatchAnswerKind, ResultKind
from services.payments.settings import BankFileSettings
from shared.ids import new_id
from shared.money import Money
from tests.payments.bank_reports import line, report

SCHEMA = etree.XMLSchema(
    etree.parse(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")
)
BANK = BankFileSettings(
    outgoing_directory=Path("/bank/outgoing"),
    incoming_directory=Path("/bank/incoming"),
    state_directory=Path("/bank/state"),
    debtor_name="Social Protection Fund & Treasury",
    debtor_id="nspc",
    debtor_account="000123456789",
    debtor_agent_bic="NCAMKHPP",
)
BATCH = UUID("0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10")
LINES = [new_id() for _ in range(5)]
ACCOUNTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=34)


def file_of(transfers: list[Transfer], *, currency: str = "KHR") -> bytes:
    return initiation(BATCH, transfers, currency=currency, bank=BANK)


def texts(content: bytes, name: str) -> list[str]:
    return [element.text for element in etree.fromstring(content).iter(f"{{{NAMESPACE}}}{name}")]


@given(
    st.lists(st.tuples(st.integers(1, 10**15), ACCOUNTS), min_size=1, max_size=5),
    st.sampled_from(["KHR", "USD"]),
)
@settings(max_examples=100, deadline=None)
def test_every_file_is_as_the_schema_has_it_and_says_what_was_ordered(
    lines: list[tuple[int, str]], currency: str
) -> None:
    transfers = [
        Transfer(new_id(), Money(amount_minor, currency), account)
        for amount_minor, account in lines
    ]
    content = file_of(transfers, currency=currency)
    SCHEMA.assertValid(etree.fromstring(content))
    assert content == file_of(transfers, currency=currency)
    assert texts(content, "EndToEndId") == [each.instruction_id.hex for each in transfers]
    assert texts(content, "MsgId") == [BATCH.hex]
    assert texts(content, "InstdAmt") == [f"{each.money.to_decimal():f}" for each in transfers]
    total = Money(sum(amount_minor for amount_minor, _ in lines), currency)
    assert set(texts(content, "CtrlSum")) == {f"{total.to_decimal():f}"}


def test_amounts_have_the_decimals_of_their_currency() -> None:
    for currency, written in (("KHR", "96000"), ("USD", "960.00")):
        content = file_of([Transfer(LINES[0], Money(96_000, currency), "1")], currency=currency)
        assert texts(content, "InstdAmt") == [written]


def test_a_file_is_dated_by_its_batch_and_executed_on_the_countrys_day() -> None:
    made_at = datetime.fromisoformat("2025-10-07T18:30:05.678+00:00")
    batch_id = UUID(int=int(made_at.timestamp() * 1000) << 80)
    assert made_at_of(batch_id) == made_at.replace(microsecond=0)
    content = initiation(
        batch_id, [Transfer(LINES[0], Money(1, "KHR"), "1")], currency="KHR", bank=BANK
    )
    assert texts(content, "CreDtTm") == ["2025-10-07T18:30:05Z"]
    assert texts(content, "Dt") == ["2025-10-08"]


@pytest.mark.parametrize("account", ["", " ", "a b", "1" * 35, "១២៣", "a\x00", "a\ud800"])
def test_an_account_that_the_standard_has_no_room_for_does_not_fit(account: str) -> None:
    assert not fits(account)


def meant(*contents: bytes, lines: list[UUID] = LINES) -> Outcome:
    reports = [read_report(content) for content in contents]
    assert all(isinstance(each, Report) for each in reports), reports
    read = [each for each in reports if isinstance(each, Report)]
    found = Outcome(frozenset(lines), message_id=BATCH.hex)
    for each in read:
        found.add(each)
    return found


def ends(found: Outcome) -> dict[UUID | None, str]:
    return {
        result.our_reference: "paid"
        if result.kind is ResultKind.COMPLETIONS
        else str(result.reason)
        for result in found.results()
    }


def test_silence_says_nothing() -> None:
    assert meant().answer().kind is BatchAnswerKind.NO_ANSWER


@pytest.mark.parametrize("word", ["RCVD", "ACTC", "PDNG"])
def test_a_file_that_the_bank_has_and_has_not_decided_on_is_pending(word: str) -> None:
    found = meant(report(BATCH, group=word))
    assert (found.answer().kind, found.results()) == (BatchAnswerKind.PENDING, [])


@pytest.mark.parametrize("word", ["ACCP", "ACSP", "PART", "ACWC", "ACFC", "ACWP"])
def test_accepted_is_not_paid(word: str) -> None:
    for content in (
        report(BATCH, group=word),
        report(BATCH, lines=[line(each, word) for each in LINES]),
    ):
        found = meant(content)
        assert (found.answer().kind, found.results()) == (BatchAnswerKind.UNDER_WAY, [])


@pytest.mark.parametrize("word", ["BLCK", "CANC", "XXXX", "ACSX"])
def test_a_word_that_is_no_end_ends_nothing(word: str) -> None:
    assert meant(report(BATCH, group=word)).results() == []
    assert meant(report(BATCH, lines=[line(LINES[0], word)])).results() == []


def test_only_settled_and_rejected_are_ends_and_each_keeps_its_code() -> None:
    found = meant(
        report(
            BATCH,
            group="PART",
            lines=[
                line(LINES[0], "ACSC", reference="r-0"),
                line(LINES[1], "ACCC"),
                line(LINES[2], "RJCT", reason="AC04"),
                line(LINES[3], "RJCT"),
                line(LINES[4], "PDNG"),
            ],
        )
    )
    assert found.answer().kind is BatchAnswerKind.UNDER_WAY
    assert ends(found) == {
        LINES[0]: "paid",
        LINES[1]: "paid",
        LINES[2]: "AC04",
        LINES[3]: "rejected_without_reason",
    }
    assert found.results()[0].transaction_reference == "r-0"
    last = report(BATCH, lines=[line(LINES[4], "ACCC")])
    assert meant(
        report(BATCH, lines=[line(each, "ACSC") for each in LINES[:4]]), last
    ).answer() == (
        meant(last, report(BATCH, lines=[line(each, "ACSC") for each in LINES[:4]])).answer()
    )


def test_a_file_is_complete_once_each_of_its_lines_has_an_end() -> None:
    found = meant(
        report(BATCH, lines=[line(each, "ACSC") for each in LINES[:4]]),
        report(BATCH, lines=[line(LINES[4], "RJCT", reason="AC01")]),
    )
    assert found.answer().kind is BatchAnswerKind.COMPLETED
    assert len(found.results()) == 5


@pytest.mark.parametrize("where", ["group", "part"])
def test_what_is_said_of_a_file_is_said_of_each_line_without_a_word_of_its_own(where: str) -> None:
    content = report(
        BATCH,
        group="ACSC" if where == "group" else None,
        part="ACSC" if where == "part" else None,
        lines=[line(LINES[0], "RJCT", reason="AC04")],
    )
    found = meant(content)
    assert found.answer().kind is BatchAnswerKind.COMPLETED
    assert ends(found) == {LINES[0]: "AC04", **dict.fromkeys(LINES[1:], "paid")}


@pytest.mark.parametrize(
    ("reason", "passes"), [("FF01", False), ("AM04", True), ("TM01", True), ("DS0E", True)]
)
def test_a_file_that_is_refused_whole_is_refused(reason: str, passes: bool) -> None:
    content = report(
        BATCH, group="RJCT", reason=reason, lines=[line(LINES[0], "RJCT", reason="AC01")]
    )
    answer = meant(report(BATCH, group="ACTC"), content).answer()
    assert (answer.kind, answer.reason, answer.passes) == (BatchAnswerKind.REFUSED, reason, passes)


def test_a_file_that_is_refused_after_it_was_accepted_has_its_lines_rejected() -> None:
    found = meant(
        report(BATCH, group="ACCP", lines=[line(LINES[0], "ACSC")]),
        report(BATCH, group="RJCT", reason="AM04", lines=[line(LINES[0], "ACSC")]),
    )
    assert found.answer().kind is BatchAnswerKind.COMPLETED
    assert ends(found) == {LINES[0]: "paid", **dict.fromkeys(LINES[1:], "AM04")}


@pytest.mark.parametrize("reason", ["AM05", "DU01", "DU04"])
def test_what_is_refused_as_a_repeat_has_no_end_by_that(reason: str) -> None:
    assert meant(report(BATCH, group="RJCT", reason=reason)).answer().kind is (
        BatchAnswerKind.NO_ANSWER
    )
    repeated = report(
        BATCH,
        group="RJCT",
        reason=reason,
        lines=[line(each, "RJCT", reason=reason) for each in LINES],
    )
    found = meant(report(BATCH, group="ACSP"), repeated)
    assert (found.answer().kind, found.results()) == (BatchAnswerKind.UNDER_WAY, [])


def test_a_line_of_another_file_ends_nothing_here() -> None:
    found = meant(report(BATCH, lines=[line(new_id(), "ACSC"), line("invoice 7", "ACSC")]))
    assert found.results() == []


def test_a_reference_of_several_lines_names_none_of_them() -> None:
    content = report(BATCH, lines=[line(each, "ACSC", reference="booking") for each in LINES])
    assert {each.transaction_reference for each in meant(content).results()} == {None}


REPORTS = st.builds(
    lambda group, reason, part, said: report(
        BATCH,
        group=group,
        reason=reason,
        part=part,
        lines=[line(LINES[which], word) for which, word in said],
    ),
    st.sampled_from([None, "RCVD", "ACTC", "ACCP", "ACSP", "PART", "ACSC", "RJCT"]),
    st.sampled_from([None, "AC04", "AM04", "AM05"]),
    st.sampled_from([None, "ACCP", "ACSC", "RJCT"]),
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["ACSP", "ACSC", "RJCT", "PDNG"])), max_size=6
    ),
)


@given(st.lists(REPORTS, max_size=6))
@settings(max_examples=300, deadline=None)
def test_results_only_grow_at_their_end_and_what_began_is_never_refused(
    contents: list[bytes],
) -> None:
    before = meant()
    for count in range(1, len(contents) + 1):
        found = meant(*contents[:count])
        assert found.results()[: len(before.results())] == before.results()
        assert len(set(found.results())) == len(found.results())
        began = before.answer().kind in (BatchAnswerKind.UNDER_WAY, BatchAnswerKind.COMPLETED)
        assert not (began and found.answer().kind is BatchAnswerKind.REFUSED)
        assert meant(*contents[:count], contents[count - 1]).results() == found.results()
        before = found


WHOLE = report(BATCH, group="PART", lines=[line(each, "ACSC") for each in LINES])


@given(st.integers(0, len(WHOLE.rstrip()) - 1))
@settings(max_examples=200)
def test_a_file_that_is_half_written_says_nothing(length: int) -> None:
    assert isinstance(read_report(WHOLE[:length]), Unreadable)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.builds(
            lambda at, put: WHOLE[:at] + put + WHOLE[at + len(put) :],
            st.integers(0, len(WHOLE)),
            st.binary(min_size=1, max_size=12),
        ),
    )
)
@settings(max_examples=400, deadline=None)
def test_whatever_comes_is_read_or_refused_and_never_raises(content: bytes) -> None:
    found = read_report(content)
    if isinstance(found, Report):
        told = Outcome(frozenset(LINES), message_id=BATCH.hex)
        told.add(found)
        for result in told.results():
            assert result.our_reference in LINES
            assert result.reason is None or result.reason.isprintable()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_well_formed"),
        (b"\x00" * 10, "not_well_formed"),
        (WHOLE.replace(b"pain.002.001.10", b"pain.001.001.09"), "no_status_report"),
        (WHOLE.replace(b"OrgnlMsgId", b"OtherMsgId"), "no_original_message"),
        (WHOLE.replace(b"OrgnlGrpInfAndSts", b"OtherGroup"), "no_original_group"),
        (b"<!DOCTYPE Document>" + WHOLE.split(b"\n", 1)[1], "defines_types"),
        (
            b'<!DOCTYPE Document [<!ENTITY word "ACSC">]>'
            + WHOLE.split(b"\n", 1)[1].replace(b">ACSC<", b">&word;<"),
            "defines_types",
        ),
        (b"<Document>" + b"<a>" * 300 + b"</a>" * 300 + b"</Document>", "not_well_formed"),
        (b"<Document>" + b"<a/>" * 2_000_001 + b"</Document>", "too_long"),
    ],
)
def test_what_is_no_report_says_why(content: bytes, reason: str) -> None:
    assert read_report(content) == Unreadable(reason)


@pytest.mark.parametrize("version", ["pain.002.001.03", "pain.002.001.10", "pain.002.001.14"])
def test_every_version_that_keeps_these_names_is_read(version: str) -> None:
    content = report(BATCH, lines=[line(each, "ACSC") for each in LINES], version=version)
    assert meant(content).answer().kind is BatchAnswerKind.COMPLETED
