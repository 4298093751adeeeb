"""Why a household is in or out, in words: English and Khmer."""

from collections.abc import Iterator, Mapping
from datetime import date

from services.registry.decisions.schemas import Because
from services.registry.enrolments.statements import (
    ABOVE_FUND_BOUND,
    ARCHIVED,
    EXCLUDED_BY_AN_OFFICER,
    NO_ACCOUNT,
    NOT_ELIGIBLE_ANY_MORE,
    PAID_BY_ANOTHER_SCHEME,
    READMITTED,
    TAKEN_BY_AN_ACTIVATION,
)
from services.registry.enrolments.states import EntitlementStatus
from services.registry.rules.clauses import Joint, Judged
from shared.wording.numbers import day, khmer_digits, money
from shared.wording.phrase import Phrase, sentences

REASONS: Mapping[str, Phrase] = {
    NO_ACCOUNT: Phrase(
        "It has no account to be paid to. Register one.",
        "គ្រួសារគ្មានគណនីសម្រាប់ទទួលប្រាក់ទេ។ សូមចុះឈ្មោះគណនី។",
    ),
    ABOVE_FUND_BOUND: Phrase(
        "It would get more than the fund's owner lets one household be paid.",
        "ចំនួនប្រាក់លើសកម្រិតដែលម្ចាស់មូលនិធិអនុញ្ញាតសម្រាប់គ្រួសារមួយ។",
    ),
    "above-maximum": Phrase(
        "It would get more than the fund pays to one household at a time.",
        "ចំនួនប្រាក់លើសកម្រិតដែលមូលនិធិបង់ឱ្យគ្រួសារមួយក្នុងមួយលើក។",
    ),
    PAID_BY_ANOTHER_SCHEME: Phrase(
        "Another scheme has paid it lately.",
        "កម្មវិធីផ្សេងបានបង់ប្រាក់ឱ្យគ្រួសារនេះថ្មីៗនេះ។",
    ),
    TAKEN_BY_AN_ACTIVATION: Phrase(
        "Another activation of the same scheme pays it at that time.",
        "ការដាក់ឱ្យដំណើរការផ្សេងនៃកម្មវិធីដដែលបង់ប្រាក់ឱ្យគ្រួសារនេះនៅពេលនោះ។",
    ),
    EXCLUDED_BY_AN_OFFICER: Phrase(
        "An officer keeps it out, with a reason that is kept.",
        "មន្ត្រីបានដកគ្រួសារនេះចេញ ដោយមានមូលហេតុដែលបានកត់ត្រាទុក។",
    ),
    ARCHIVED: Phrase(
        "When the round was worked out it was no household any more: it was archived.",
        "នៅពេលគណនាជុំនេះ គ្រួសារត្រូវបានដាក់ក្នុងបណ្ណសាររួចហើយ។",
    ),
    NOT_ELIGIBLE_ANY_MORE: Phrase(
        "When the round was worked out the rule did not hold for it any more.",
        "នៅពេលគណនាជុំនេះ គ្រួសារលែងបំពេញលក្ខខណ្ឌហើយ។",
    ),
    READMITTED: Phrase(
        "It is admitted again, and waits for a repair that announces it.",
        "គ្រួសារត្រូវបានទទួលឡើងវិញ ហើយរង់ចាំការជូនដំណឹងសារជាថ្មី។",
    ),
    "unknown-provider": Phrase(
        "Payments does not send to the provider of its account. Register another account.",
        "ប្រព័ន្ធទូទាត់មិនផ្ញើទៅអ្នកផ្តល់សេវានៃគណនីនេះទេ។ សូមចុះឈ្មោះគណនីផ្សេង។",
    ),
    "other-currency": Phrase(
        "The provider of its account does not pay in the scheme's currency.",
        "អ្នកផ្តល់សេវានៃគណនីនេះមិនបង់ជារូបិយប័ណ្ណនៃកម្មវិធីទេ។",
    ),
    "no-outcome": Phrase(
        "Payments never told what became of it.",
        "ប្រព័ន្ធទូទាត់មិនដែលប្រាប់ពីលទ្ធផលទេ។",
    ),
    "accountNotFound": Phrase(
        "The provider knows no such account. Register another one.",
        "អ្នកផ្តល់សេវាមិនស្គាល់គណនីនេះទេ។ សូមចុះឈ្មោះគណនីផ្សេង។",
    ),
    "accountInactive": Phrase(
        "The account is not in use. Have it opened again, or register another one.",
        "គណនីមិនដំណើរការទេ។ សូមបើកវាឡើងវិញ ឬចុះឈ្មោះគណនីផ្សេង។",
    ),
}

_STATUS: Mapping[EntitlementStatus, Phrase] = {
    EntitlementStatus.READY: Phrase("It is on its way.", "ការទូទាត់កំពុងដំណើរការ។"),
    EntitlementStatus.PAID: Phrase("It was paid.", "បានទូទាត់រួចហើយ។"),
    EntitlementStatus.FAILED: Phrase("The provider did not pay it.", "អ្នកផ្តល់សេវាមិនបានទូទាត់ទេ។"),
    EntitlementStatus.UNPAYABLE: Phrase(
        "It is owed, and cannot be paid yet.", "ត្រូវបានជំពាក់ ប៉ុន្តែមិនទាន់អាចទូទាត់បានទេ។"
    ),
    EntitlementStatus.EXCLUDED: Phrase("It gets nothing in this round.", "មិនទទួលបានអ្វីក្នុងជុំនេះទេ។"),
    EntitlementStatus.REFUSED: Phrase(
        "Payments refused the chunk that it is in; an officer can announce it again.",
        "ប្រព័ន្ធទូទាត់បានបដិសេធក្រុមដែលមានគ្រួសារនេះ។ មន្ត្រីអាចជូនដំណឹងសារជាថ្មី។",
    ),
}


def round_in_words(
    status: EntitlementStatus | None, reason: str | None, *, due_on: date, is_held: bool
) -> Phrase:
    """What became of a round."""
    if status is None:
        on = day(due_on)
        return Phrase(
            f"It is not worked out yet; it is due on {on.en}.",
            f"មិនទាន់បានគណនាទេ កំណត់នៅ{on.km}។",
        )
    told = [_STATUS[status]]
    if reason:
        told.append(
            REASONS.get(reason)
            or Phrase(f"The reason is told as '{reason}'.", f"មូលហេតុត្រូវបានប្រាប់ជា «{reason}»។")
        )
    if is_held and status is EntitlementStatus.READY:
        told = [
            Phrase(
                "It is above what the activation may pay by itself, and waits for a second person.",
                "លើសពិដានដែលអាចបង់ដោយខ្លួនឯង ហើយរង់ចាំអ្នកទីពីរសម្រេច។",
            )
        ]
    return sentences(told)


def of_round(number: int, words: Phrase) -> Phrase:
    """What is said, of one round of several."""
    return Phrase(f"Round {number}: {words.en}", f"ជុំទី{khmer_digits(str(number))}៖ {words.km}")


def scheme_named(code: str, version: int | None) -> Phrase:
    """A scheme's version."""
    if version is None:
        return Phrase(f"scheme '{code}'", f"កម្មវិធី «{code}»")
    return Phrase(
        f"scheme '{code}', version {version},",
        f"កម្មវិធី «{code}» កំណែទី {khmer_digits(str(version))}",
    )


def enrolled(scheme: Phrase, amount_minor: int, currency: str) -> Phrase:
    amount = money(amount_minor, currency)
    return Phrase(
        f"It is enrolled: by {scheme.en} it gets {amount.en} in a round.",
        f"គ្រួសារនេះត្រូវបានចុះឈ្មោះ៖ តាម{scheme.km} ទទួលបាន {amount.km} ក្នុងមួយជុំ។",
    )


def eligible(scheme: Phrase, amount_minor: int, currency: str) -> Phrase:
    amount = money(amount_minor, currency)
    return Phrase(
        f"It is eligible: {scheme.en} would give it {amount.en} in a round, by what is known now.",
        f"គ្រួសារនេះបំពេញលក្ខខណ្ឌ៖ {scheme.km} នឹងផ្តល់ {amount.km} ក្នុងមួយជុំ តាមទិន្នន័យបច្ចុប្បន្ន។",
    )


def out(because: Because, scheme: Phrase) -> Phrase:
    """Why a household is out, in a sentence."""
    match because:
        case Because.NOBODY_ENROLLED:
            return Phrase(
                "Nobody is enrolled for the activation yet.",
                "មិនទាន់មាននរណាម្នាក់ត្រូវបានចុះឈ្មោះសម្រាប់ការដាក់ឱ្យដំណើរការនេះទេ។",
            )
        case Because.AREA_NOT_REACHED:
            return Phrase(
                "It is not enrolled: the activation does not reach the commune where it lives.",
                "គ្រួសារនេះមិនត្រូវបានចុះឈ្មោះទេ៖ ការដាក់ឱ្យដំណើរការមិនគ្របដណ្តប់ឃុំ/សង្កាត់ដែលរស់នៅទេ។",
            )
        case Because.BEING_ENROLLED:
            return Phrase(
                "The commune where it lives is being worked out. Look again in a while.",
                "ឃុំ/សង្កាត់ដែលរស់នៅកំពុងត្រូវបានគណនា។ សូមពិនិត្យម្តងទៀតបន្តិចក្រោយ។",
            )
        case Because.RULE_NOT_MET:
            return Phrase(
                f"It is not eligible: the rule of {scheme.en} does not hold for it.",
                f"គ្រួសារនេះមិនបំពេញលក្ខខណ្ឌទេ៖ វិធាននៃ{scheme.km} មិនត្រូវនឹងគ្រួសារនេះទេ។",
            )
        case Because.NOT_KNOWN:
            return Phrase(
                f"It is not eligible: the rule of {scheme.en} asks about something that is not "
                "known of it.",
                f"គ្រួសារនេះមិនបំពេញលក្ខខណ្ឌទេ៖ វិធាននៃ{scheme.km} សួរអំពីអ្វីដែលគ្មានទិន្នន័យ។",
            )
        case Because.NO_BENEFIT:
            return Phrase(
                f"The rule of {scheme.en} holds for it, but no case of the benefit fits it.",
                f"វិធាននៃ{scheme.km} ត្រូវនឹងគ្រួសារនេះ ប៉ុន្តែគ្មានករណីអត្ថប្រយោជន៍ណាត្រូវទេ។",
            )
        case Because.REGISTERED_AFTER:
            return Phrase(
                "It is eligible by what is known now, but was registered or changed after its "
                "commune was enrolled. It can be enrolled late, by two persons.",
                "គ្រួសារនេះបំពេញលក្ខខណ្ឌតាមទិន្នន័យបច្ចុប្បន្ន ប៉ុន្តែបានចុះបញ្ជីឬកែប្រែក្រោយពេលឃុំ/សង្កាត់"
                "ត្រូវបានចុះឈ្មោះ។ អាចចុះឈ្មោះយឺតបាន ដោយមនុស្សពីរនាក់។",
            )
        case Because.EXCLUDED:
            return REASONS[EXCLUDED_BY_AN_OFFICER]
        case Because.ENROLLED | Because.ELIGIBLE:
            raise ValueError("It is in.")


def hindrances(judged: Judged) -> Iterator[Judged]:
    """The clauses by which a rule does not hold, or nobody can say."""
    if judged.holds is True:
        return
    if judged.clause.joint in (Joint.ALL, Joint.ANY):
        for part in judged.parts:
            yield from hindrances(part)
    else:
        yield judged


def asks_that(words: Phrase, values: Phrase | None) -> Phrase:
    """What a clause asks, and what there is."""
    if values is None:
        return Phrase(f"It asks that {words.en}.", f"វិធានសួរថា៖ {words.km}។")
    return Phrase(
        f"It asks that {words.en}; here: {values.en}.",
        f"វិធានសួរថា៖ {words.km}។ នៅទីនេះ៖ {values.km}។",
    )
