"""Why a trigger fired, or why not, in sentences: pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.activations.states import Origin
from services.triggers.activations.tables import Activation
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.evaluations.tables import Evaluation
from services.triggers.geography.names import name_of
from services.triggers.methods.plain import reaches
from services.triggers.wording.vocabulary import SEVERITIES, STAGES, STATES, shock
from shared.approvals import ApprovalOut
from shared.contracts.checks import FundCover
from shared.wording import numbers
from shared.wording.phrase import Phrase, listed

_MAXIMUM_AREAS_NAMED = 30

WAITS = Phrase("It waits for a second person.", "រង់ចាំការអនុម័តពីមន្ត្រីទីពីរ។")
DECLINED = Phrase("A second person declined to add it.", "មន្ត្រីទីពីរបានបដិសេធមិនបន្ថែមតំបន់នេះទេ។")
REFUSED = Phrase(
    "Nobody can be enrolled there, and a correction refused it.",
    "មិនអាចចុះឈ្មោះគ្រួសារនៅទីនោះបានទេ ហើយការកែតម្រូវបានដកវាចេញ។",
)
FILTERED = Phrase(
    "The trigger's filter takes no commune of it, so nobody is enrolled there.",
    "តម្រងនៃលក្ខខណ្ឌមិនរាប់បញ្ចូលឃុំណាមួយនៅទីនោះទេ ដូច្នេះមិនមានការចុះឈ្មោះនៅទីនោះឡើយ។",
)
OUTSIDE = Phrase(
    "It lies outside of the areas in which the trigger acts.",
    "វាស្ថិតនៅក្រៅតំបន់ដែលលក្ខខណ្ឌនេះអនុវត្ត។",
)
BELOW = Phrase(
    "Its figure is below that from which an area is taken in.",
    "តួលេខរបស់វាទាបជាងកម្រិតដែលតំបន់មួយត្រូវបានរាប់បញ្ចូល។",
)
NO_FIGURE = Phrase(
    "It was named without a figure, and the trigger leaves such areas out.",
    "វាត្រូវបានរាយនាមដោយគ្មានតួលេខ ហើយលក្ខខណ្ឌមិនរាប់បញ្ចូលតំបន់បែបនេះទេ។",
)
NOT_FIRED = Phrase(
    "The trigger did not fire, so nobody is paid anywhere.",
    "លក្ខខណ្ឌមិនត្រូវបានបំពេញទេ ដូច្នេះមិនមានការទូទាត់នៅតំបន់ណាមួយឡើយ។",
)
NOT_JUDGED = Phrase(
    "What was measured there cannot be judged, which is not calm.",
    "ទិន្នន័យនៅទីនោះមិនអាចវាយតម្លៃបានទេ ប៉ុន្តែនេះមិនមានន័យថាស្ថានភាពធម្មតាទេ។",
)
NOT_ENROLLED = Phrase(
    "The registry enrols nobody there: the gazetteer does not know it, or it is too small.",
    "បញ្ជីមិនចុះឈ្មោះគ្រួសារនៅទីនោះទេ៖ លេខកូដតំបន់មិនស្គាល់ ឬតំបន់តូចពេក។",
)


def why_it_began(
    activation: Activation, *, evidence_to: date, reasons: Sequence[Phrase]
) -> list[Phrase]:
    """Why an activation began, by the reasons of its judgements: what stays so, however it goes.

    ``evidence_to`` is the last day of the evidence as far as it had come.
    """
    return [_began(activation, evidence_to=evidence_to), *reasons, _severity(activation)]


def how_it_stands(
    activation: Activation,
    *,
    reached: Sequence[str],
    not_reached: int,
    proposal: ApprovalOut | None,
) -> list[Phrase]:
    """Where an activation reaches, what it would pay, and what is done about it."""
    return [_areas(reached, not_reached), *_estimate(proposal), STATES[activation.state]]


def about_evaluation(evaluation: Evaluation, *, reasons: Sequence[Phrase]) -> list[Phrase]:
    """What was judged, what it came to, and what was done about it."""
    on, stage = numbers.day(evaluation.judged_on), STAGES[evaluation.stage]
    reached = Phrase(
        f"Judged for {on.en}: {stage.en} is reached.",
        f"ការវាយតម្លៃសម្រាប់{on.km}៖ {stage.km}។",
    )
    return [reached, *reasons, _OUTCOMES[evaluation.outcome]]


_OUTCOMES: Mapping[Outcome, Phrase] = {
    Outcome.UNJUDGED: Phrase(
        "It could not be judged, which is not calm: nothing follows from it, and nothing ends.",
        "មិនអាចវាយតម្លៃបានទេ ប៉ុន្តែនេះមិនមានន័យថាស្ថានភាពធម្មតាទេ។",
    ),
    Outcome.RAISED: Phrase(
        "So the severity of this event's activation is raised.",
        "ដូច្នេះកម្រិតធ្ងន់ធ្ងរនៃការបើកដំណើរការនេះត្រូវបានដំឡើង។",
    ),
    Outcome.NONE: Phrase(
        "So it did not fire: no activation follows from this.",
        "ដូច្នេះលក្ខខណ្ឌមិនបានបើកដំណើរការទេ។",
    ),
    Outcome.QUIET: Phrase(
        "Nothing new follows: its event was activated, declined or cancelled before.",
        "មិនមានអ្វីថ្មីកើតឡើងទេ៖ ព្រឹត្តិការណ៍នេះត្រូវបានបើកដំណើរការ បដិសេធ ឬលុបចោលរួចហើយ។",
    ),
    Outcome.PROPOSED: Phrase(
        "So it fired: an activation was proposed.",
        "ដូច្នេះលក្ខខណ្ឌត្រូវបានបំពេញ៖ ការបើកដំណើរការត្រូវបានស្នើឡើង។",
    ),
    Outcome.OPENED: Phrase(
        "So it fired: an activation was opened.",
        "ដូច្នេះលក្ខខណ្ឌត្រូវបានបំពេញ៖ ការបើកដំណើរការបានចាប់ផ្តើម។",
    ),
    Outcome.WIDENED: Phrase(
        "So the activation of this event is widened by further areas.",
        "ដូច្នេះការបើកដំណើរការនៃព្រឹត្តិការណ៍នេះត្រូវបានពង្រីកដល់តំបន់ថ្មី។",
    ),
}


def title_of(activation: Activation) -> Phrase:
    """What an activation is called: what happened, and when."""
    what, on = shock(activation.shock), numbers.day(activation.evidence_from)
    return Phrase(
        f"{what.en}: areas of the activation of {on.en}",
        f"{what.km}៖ តំបន់នៃការបើកដំណើរការ {on.km}",
    )


def title_of_evaluation(evaluation: Evaluation) -> Phrase:
    on = numbers.day(evaluation.judged_on)
    return Phrase(f"Areas as judged for {on.en}", f"តំបន់តាមការវាយតម្លៃសម្រាប់{on.km}")


def named_in(evidence: Mapping[str, Any]) -> dict[str, Phrase | None]:
    """The areas that evidence names, by code, each with why it is not reached; None: it is."""
    named: dict[str, Phrase | None] = {}
    for entry in _entries(evidence, "areas") + _entries(evidence, "alerts"):
        if "area" in entry:
            named.setdefault(str(entry["area"]), None if reaches(entry) else _why_left_out(entry))
            if reaches(entry):
                named[str(entry["area"])] = None
    for place in _entries(evidence, "places"):
        areas = place.get("areas")
        for area in areas if isinstance(areas, list) else ():
            if reaches(place):
                named[str(area)] = None
            else:
                named.setdefault(str(area), BELOW if "unjudged" not in place else NOT_JUDGED)
    for entry in _entries(evidence, "not_reached"):
        named[str(entry.get("area"))] = _why_left_out(entry)
    return named


def _entries(evidence: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    values = evidence.get(key)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _why_left_out(entry: Mapping[str, Any]) -> Phrase:
    if entry.get("because") == "outside-areas":
        return OUTSIDE
    if entry.get("households", 0) is None or entry.get("value", 0) is None:
        return NO_FIGURE
    return BELOW


def _began(activation: Activation, *, evidence_to: date) -> Phrase:
    what, on = shock(activation.shock), numbers.instant(activation.proposed_at)
    if activation.origin is Origin.DECLARED:
        return Phrase(
            f"{what.en}: an official declared this activation on {on.en}. The reason given: "
            f"{activation.reason}",
            f"{what.km}៖ មន្ត្រីម្នាក់បានប្រកាសការបើកដំណើរការនេះ នៅ{on.km}។ មូលហេតុ៖ {activation.reason}",
        )
    days = numbers.span(activation.evidence_from, evidence_to)
    return Phrase(
        f"{what.en}: the thresholds of trigger {activation.trigger_code}, version "
        f"{activation.trigger_version}, were met by what was known on {on.en}. The evidence is of "
        f"{days.en}.",
        f"{what.km}៖ កម្រិតកំណត់នៃលក្ខខណ្ឌ {activation.trigger_code} "
        f"(កំណែ {activation.trigger_version}) ត្រូវបានបំពេញ តាមព័ត៌មានដែលមាននៅ{on.km}។ "
        f"ភស្តុតាងគិតពី{days.km}។",
    )


def _severity(activation: Activation) -> Phrase:
    word = SEVERITIES[activation.severity]
    return Phrase(f"Its severity is {word.en}.", f"កម្រិតធ្ងន់ធ្ងរ៖ {word.km}។")


def _areas(reached: Sequence[str], not_reached: int) -> Phrase:
    count = numbers.number(len(reached))
    left = numbers.number(not_reached)
    names = listed(name_of(code) for code in reached[:_MAXIMUM_AREAS_NAMED])
    more = ", …" if len(reached) > _MAXIMUM_AREAS_NAMED else ""
    return Phrase(
        f"Areas that it reaches: {count.en} ({names.en}{more}). Named, and not reached: {left.en}.",
        f"តំបន់ដែលរាប់បញ្ចូល៖ {count.km} ({names.km}{more})។ បានរាយនាម តែមិនរាប់បញ្ចូល៖ {left.km}។",
    )


def _estimate(proposal: ApprovalOut | None) -> list[Phrase]:
    if proposal is None or proposal.households is None or proposal.amount_minor is None:
        return []
    households = numbers.number(proposal.households)
    amount = numbers.money(proposal.amount_minor, proposal.currency or "")
    said = [
        Phrase(
            f"By the registry it would pay about {households.en} households {amount.en} in all.",
            f"តាមបញ្ជី នឹងទូទាត់ប្រមាណ {households.km} គ្រួសារ ជាទឹកប្រាក់សរុប {amount.km}។",
        )
    ]
    if cover := proposal.document.get("fund_cover"):
        held = FundCover.model_validate(cover)
        available = numbers.money(held.available_minor, held.currency)
        reserved = numbers.money(held.reserved_minor, held.currency)
        said.append(
            Phrase(
                f"When this was proposed, its fund had {available.en} to pay from, and "
                f"{reserved.en} more reserved for triggers that are ready.",
                f"នៅពេលស្នើ មូលនិធិមាន {available.km} សម្រាប់ទូទាត់ និង {reserved.km} ទៀត"
                "ដែលបម្រុងទុកសម្រាប់លក្ខខណ្ឌដែលត្រៀមរួច។",
            )
        )
    return said
