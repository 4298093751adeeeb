"""Where a payment is and why, in words that are read out to whoever waits for it. Pure."""

from datetime import date
from typing import assert_never

from services.payments.instructions.states import MAY_BE_ELSEWHERE, MAY_BE_TRIED_ANEW, Status
from services.payments.rounds.states import RoundStatus
from shared.wording import numbers
from shared.wording.phrase import Phrase

NO_PAYMENT = (
    "Payments has no payment for this entitlement. GET /v1/entitlements/{entitlement_id} of the "
    "registry says whether it is owed, and whether it was announced."
)

_READY = {
    RoundStatus.GATHERING: Phrase(
        "It is prepared, and is sent once all payments of its round are.",
        "ការទូទាត់ត្រូវបានរៀបចំ ហើយនឹងត្រូវផ្ញើនៅពេលការទូទាត់ទាំងអស់ក្នុងជុំនេះរួចរាល់។",
    ),
    RoundStatus.RELEASED: Phrase(
        "It is about to be sent to the provider.",
        "ការទូទាត់ហៀបនឹងត្រូវផ្ញើទៅអ្នកផ្តល់សេវា។",
    ),
    RoundStatus.UNFUNDED: Phrase(
        "It waits until its fund has money for all payments of its round.",
        "ការទូទាត់រង់ចាំរហូតដល់មូលនិធិមានប្រាក់គ្រប់សម្រាប់ការទូទាត់ទាំងអស់ក្នុងជុំនេះ។",
    ),
    RoundStatus.UNAPPROVED: Phrase(
        "It waits until two officers have released its round.",
        "ការទូទាត់រង់ចាំមន្ត្រីពីររូបអនុញ្ញាតជុំនេះ។",
    ),
    RoundStatus.REFUSED: Phrase(
        "Its round was refused: it is not sent as it is, and an officer has to mend that.",
        "ជុំនេះត្រូវបានបដិសេធ៖ ការទូទាត់មិនត្រូវបានផ្ញើទេ ហើយមន្ត្រីត្រូវដោះស្រាយ។",
    ),
}

_PERHAPS_ELSEWHERE = Phrase(
    "It may have been sent by another provider already, so that provider is asked first.",
    "ការទូទាត់អាចត្រូវបានផ្ញើតាមអ្នកផ្តល់សេវាផ្សេងរួចហើយ ដូច្នេះត្រូវសួរអ្នកផ្តល់សេវានោះជាមុន។",
)

_GONE = {
    "always": Phrase("by a rule of two officers", "តាមវិធានរបស់មន្ត្រីពីររូប"),
    "disabled": Phrase("which is not in use any more", "ដែលឈប់ប្រើប្រាស់"),
    "paused": Phrase("which was paused", "ដែលត្រូវបានផ្អាក"),
    "down": Phrase("which did not answer", "ដែលមិនបានឆ្លើយ"),
    "rejected": Phrase("which had rejected it", "ដែលបានបដិសេធការទូទាត់នេះ"),
    "found_there": Phrase("as the provider that knew it", "ដោយសារអ្នកផ្តល់សេវានោះស្គាល់ការទូទាត់នេះ"),
}


def gone_by(cause: str, *, former: str, latter: str) -> Phrase:
    """By which provider a payment goes in place of which, and why."""
    why = _GONE[cause]
    return Phrase(
        f"It goes by {latter} in place of {former}, {why.en}.",
        f"ការទូទាត់ធ្វើឡើងតាមរយៈ {latter} ជំនួស {former} {why.km}។",
    )


_REASONS = {
    "may_have_been_sent": Phrase(
        "It may have been sent already, so the provider is asked first.",
        "ការទូទាត់អាចត្រូវបានផ្ញើរួចហើយ ដូច្នេះត្រូវសួរអ្នកផ្តល់សេវាជាមុន។",
    ),
    MAY_BE_ELSEWHERE: Phrase(
        "Another provider may have paid it. Officers have to ask that provider.",
        "អ្នកផ្តល់សេវាផ្សេងអាចបានទូទាត់រួចហើយ។ មន្ត្រីត្រូវសួរអ្នកផ្តល់សេវានោះ។",
    ),
    MAY_BE_TRIED_ANEW: Phrase(
        "It may have been tried again and paid, so the provider is asked first.",
        "ការទូទាត់អាចត្រូវបានសាកល្បងម្តងទៀត និងទូទាត់រួចហើយ ដូច្នេះត្រូវសួរអ្នកផ្តល់សេវាជាមុន។",
    ),
    "tried_anew": Phrase(
        "It was tried again, and that attempt tells how it ended.",
        "ការទូទាត់ត្រូវបានសាកល្បងម្តងទៀត ហើយលទ្ធផលមាននៅក្នុងការសាកល្បងនោះ។",
    ),
    "not_known_to_provider": Phrase(
        "The provider says that it does not know the payment.",
        "អ្នកផ្តល់សេវាថាមិនស្គាល់ការទូទាត់នេះទេ។",
    ),
    "timeout": Phrase("The provider did not answer in time.", "អ្នកផ្តល់សេវាមិនបានឆ្លើយទាន់ពេល។"),
    "connection_lost": Phrase("The provider could not be reached.", "មិនអាចទាក់ទងអ្នកផ្តល់សេវាបានទេ។"),
    "late_success": Phrase(
        "The provider says that it paid after it had said that it would not.",
        "អ្នកផ្តល់សេវាថាបានទូទាត់ បន្ទាប់ពីបានថាមិនទូទាត់។",
    ),
    "different_payment": Phrase(
        "The provider says that it paid something else than was ordered.",
        "អ្នកផ្តល់សេវាថាបានទូទាត់ខុសពីអ្វីដែលបានបញ្ជា។",
    ),
    "cancelled_by_officer": Phrase("Officers cancelled it.", "មន្ត្រីបានបោះបង់ការទូទាត់នេះ។"),
    "activation_cancelled": Phrase(
        "The relief was cancelled before it was sent.",
        "ជំនួយត្រូវបានបោះបង់ មុនពេលការទូទាត់ត្រូវបានផ្ញើ។",
    ),
    "account_unreadable": Phrase(
        "Its account cannot be read. An officer has to mend that.",
        "មិនអាចអានគណនីបានទេ។ មន្ត្រីត្រូវដោះស្រាយ។",
    ),
    "account_not_known": Phrase(
        "The provider knows no such account. Give another account.",
        "អ្នកផ្តល់សេវាមិនស្គាល់គណនីនេះទេ។ សូមផ្តល់គណនីផ្សេង។",
    ),
    "account_unavailable": Phrase(
        "The account is not in use. Have it opened again, or give another.",
        "គណនីមិនដំណើរការទេ។ សូមបើកវាឡើងវិញ ឬផ្តល់គណនីផ្សេង។",
    ),
    # Of lists from which cash is paid out by hand.
    "unclaimed": Phrase(
        "Nobody came for it in time, and the money went back.",
        "គ្មាននរណាមកយកទាន់ពេលទេ ហើយប្រាក់ត្រូវបានបង្វិលទៅវិញ។",
    ),
    "refused": Phrase("It was not accepted.", "អ្នកទទួលមិនព្រមទទួលទេ។"),
    "deceased": Phrase(
        "Whoever it was for has died. Register who stands for the household now.",
        "អ្នកទទួលបានទទួលមរណភាព។ សូមចុះឈ្មោះអ្នកតំណាងគ្រួសារថ្មី។",
    ),
    "moved-away": Phrase(
        "The household has moved away. Register where it lives now.",
        "គ្រួសារបានផ្លាស់ទីលំនៅ។ សូមចុះឈ្មោះកន្លែងរស់នៅថ្មី។",
    ),
    "not-the-person": Phrase(
        "Whoever came was not the person that is registered.",
        "អ្នកដែលមកយក មិនមែនជាបុគ្គលដែលបានចុះឈ្មោះទេ។",
    ),
    "no-document": Phrase("Whoever came had no document to show.", "អ្នកដែលមកយកគ្មានឯកសារបង្ហាញទេ។"),
    # The GSMA Mobile Money API's.
    "accountNotFound": Phrase(
        "The provider knows no such account. Give another account.",
        "អ្នកផ្តល់សេវាមិនស្គាល់គណនីនេះទេ។ សូមផ្តល់គណនីផ្សេង។",
    ),
    "accountInactive": Phrase(
        "The account is not in use. Have it opened again, or give another.",
        "គណនីមិនដំណើរការទេ។ សូមបើកវាឡើងវិញ ឬផ្តល់គណនីផ្សេង។",
    ),
    "incorrectState": Phrase(
        "The account cannot take the payment as it stands. Ask the provider, or give another.",
        "គណនីមិនអាចទទួលការទូទាត់ក្នុងស្ថានភាពបច្ចុប្បន្នទេ។ សូមសួរអ្នកផ្តល់សេវា ឬផ្តល់គណនីផ្សេង។",
    ),
    "maximumBalanceExceeded": Phrase(
        "The account would hold more than it may.",
        "គណនីនឹងមានសមតុល្យលើសកម្រិតដែលអនុញ្ញាត។",
    ),
    "dailyLimitExceeded": Phrase(
        "The account has taken as much as it may in a day.",
        "គណនីបានទទួលគ្រប់ចំនួនដែលអនុញ្ញាតក្នុងមួយថ្ងៃ។",
    ),
}


def told(status: Status, reason: str | None, *, round_status: RoundStatus) -> Phrase:
    """Where a payment is, and why as far as there is a reason that concerns whoever waits."""
    where = _where(status, round_status)
    if status is Status.READY and reason == MAY_BE_ELSEWHERE:
        return _PERHAPS_ELSEWHERE
    if reason is None or status in (Status.READY, Status.SENDING, Status.SETTLED):
        return where
    why = _REASONS.get(reason) or Phrase(
        f"The reason is told as '{reason}'.", f"មូលហេតុត្រូវបានប្រាប់ជា «{reason}»។"
    )
    return Phrase(f"{where.en} {why.en}", f"{where.km} {why.km}")


def to_fetch(where: str, until: date) -> Phrase:
    """What is on a list from which cash is paid out by hand, until a day."""
    day = numbers.day(until)
    return Phrase(
        f"The cash can be fetched at {where}, until {day.en}.",
        f"អាចទៅយកប្រាក់នៅ {where} រហូតដល់{day.km}។",
    )


def _where(status: Status, round_status: RoundStatus) -> Phrase:
    match status:
        case Status.READY:
            return _READY[round_status]
        case Status.SENDING:
            return Phrase("It is being sent to the provider.", "ការទូទាត់កំពុងត្រូវផ្ញើទៅអ្នកផ្តល់សេវា។")
        case Status.PENDING:
            return Phrase(
                "The provider has it and has not decided yet.",
                "អ្នកផ្តល់សេវាបានទទួល ហើយមិនទាន់សម្រេច។",
            )
        case Status.UNKNOWN:
            return Phrase(
                "Whether it was paid is not known yet; the provider is being asked.",
                "មិនទាន់ដឹងថាបានទូទាត់ឬនៅទេ កំពុងសួរអ្នកផ្តល់សេវា។",
            )
        case Status.SETTLED:
            return Phrase("It was paid.", "បានទូទាត់រួចហើយ។")
        case Status.REJECTED:
            return Phrase("The provider did not pay it.", "អ្នកផ្តល់សេវាមិនបានទូទាត់ទេ។")
        case Status.HELD:
            return Phrase("An officer has to decide about it.", "មន្ត្រីត្រូវសម្រេចលើការទូទាត់នេះ។")
        case Status.RETURNED:
            return Phrase(
                "It was paid and came back from the provider.",
                "បានទូទាត់ ហើយប្រាក់ត្រូវបានបង្វិលមកវិញពីអ្នកផ្តល់សេវា។",
            )
        case Status.CANCELLED:
            return Phrase("It was cancelled and never sent.", "ត្រូវបានបោះបង់ និងមិនដែលផ្ញើទេ។")
        case _:
            assert_never(status)
