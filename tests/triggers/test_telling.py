"""What is said and drawn of evidence, in both languages: pure."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.drawing.pictures import ChartPicture, Form, MapPicture
from services.triggers.drawing.studio import drawn
from services.triggers.explanations.telling import named_in
from services.triggers.geography.names import name_of
from services.triggers.geography.outlines import outline_of, provinces
from services.triggers.methods.chart import Bars, Series
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.plain import plain_chart, plain_reasons
from services.triggers.methods.price_spike.method import PRICE_SPIKE
from shared.wording import numbers
from shared.wording.phrase import Language, Phrase
from tests.triggers.test_history import RICE_FIGURES

GAUGES: dict[str, Any] = {
    "places": [
        {
            "place": "Kratie",
            "areas": ["10"],
            "stage": "activation",
            "metres": 23.4,
            "levels_metres": {"activation": 23},
        },
        {"place": "Prek Kdam", "areas": ["08"], "stage": "none", "metres": 8.1},
        {"place": "Phnom Penh", "areas": ["12", "08"], "stage": "none", "unjudged": "No value."},
    ],
    "thresholds": {},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "series",
                    "places",
                    "areas",
                    "area",
                    "place",
                    "value",
                    "on",
                    "levels",
                    "activation",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_numbers_days_and_money_in_both_languages() -> None:
    assert numbers.number(1234567) == Phrase("1,234,567", "១,២៣៤,៥៦៧")
    assert numbers.number(0.62512).en == "0.6251"
    assert numbers.money(120_000, "KHR") == Phrase("120,000 KHR", "១២០,០០០ រៀល")
    assert numbers.money(1_250, "USD").en == "12.50 USD"
    assert numbers.day(date(2020, 10, 12)) == Phrase("12 October 2020", "ថ្ងៃទី១២ ខែតុលា ឆ្នាំ២០២០")


def test_areas_are_called_as_the_gazetteer_calls_them() -> None:
    assert name_of("KH").km == "កម្ពុជា"
    assert name_of("02") == Phrase("Battambang", "ខេត្តបាត់ដំបង")
    assert name_of("010202") == Phrase(
        "Bat Trang commune, Banteay Meanchey", "ឃុំបត់ត្រង់ ខេត្តបន្ទាយមានជ័យ"
    )
    assert name_of("01020201").en == "village 01020201, Bat Trang commune, Banteay Meanchey"
    assert name_of("99") == Phrase.same("99")
    assert len(provinces()) == 25
    # The newest districts are shown by their province, and what is no area by nothing.
    assert outline_of("0199") is provinces()["01"]
    assert outline_of("99") is None


def test_a_price_is_told_with_the_price_at_which_it_would_have_fired() -> None:
    document = PRICE_SPIKE.document.model_validate(
        PRICE_SPIKE.document.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
    )
    month = date(2023, 9, 1)
    figures = Figures.of(RICE_FIGURES).known_on(date(2023, 10, 31))
    series = PRICE_SPIKE.lay_out(figures, document, areas=["KH"])
    evidence = PRICE_SPIKE.judge(
        series, document, period=Period(first_on=month, last_on=month), areas=["KH"]
    ).evidence
    said = [reason.en for reason in PRICE_SPIKE.reasons(evidence, unit="USD/KG")]
    assert said[0] == ("In September 2023 the price was 0.625 USD/KG, the median over 24 markets.")
    (panel,) = PRICE_SPIKE.chart(evidence, unit="USD/KG").panels
    assert isinstance(panel, Series)
    (fires_from,) = [level.value for level in panel.levels if level.pays]
    alps = evidence["alps"]
    assert (fires_from - alps["forecast"]) / alps["residual_deviation"] == pytest.approx(
        document.activation.alps
    )


def test_places_are_told_and_what_cannot_be_judged_is_no_calm() -> None:
    said = " ".join(reason.en for reason in plain_reasons(GAUGES, unit="m"))
    assert "Kratie: 23.4 m." in said
    assert "1 of 3 places cannot be judged" in said
    chart = plain_chart(GAUGES, unit="m")
    assert chart is not None
    (panel,) = chart.panels
    assert isinstance(panel, Bars)
    assert [(bar.label.en, bar.reached, bar.level) for bar in panel.bars] == [
        ("Kratie", True, 23.0),
        ("Prek Kdam", False, None),
    ]
    named = named_in(GAUGES)
    assert named["10"] is None
    assert "below" in str(named["08"])
    assert "cannot be judged" in str(named["12"])


@settings(max_examples=50, deadline=None)
@given(evidence=st.dictionaries(st.sampled_from(["series", "places", "areas", "levels"]), JSON))
def test_whatever_evidence_holds_is_told_or_passed_by(evidence: dict[str, Any]) -> None:
    assert all(reason.en and reason.km for reason in plain_reasons(evidence, unit="m"))
    plain_chart(evidence, unit="m")
    named_in(evidence)


def test_hostile_words_are_drawn_as_words() -> None:
    words = '--><script>alert(1)</script> $\\frac{1}{$ & "សង្គ្រោះ"\x00'
    chart = plain_chart({"series": {words: [{"on": "2020-10-12", "value": 1.0}]}}, unit=words)
    assert chart is not None
    picture = ChartPicture(charts=(chart,), about=Phrase.same(words), sources=(words,))
    svg = drawn(picture, Language.KHMER, Form.SVG)
    assert b"<script" not in svg
    assert b"--><s" not in svg
    again = drawn.__wrapped__(picture, Language.KHMER, Form.SVG)
    assert again == svg
    nowhere = MapPicture(title=Phrase.same(words), reached=("99", "KH"))
    assert drawn(nowhere, Language.ENGLISH, Form.PNG).startswith(b"\x89PNG")
