"""What the page of a report says, in English and in Khmer. Pure."""

from services.payments.differences.ways import what_to_do
from services.payments.reconciliation.kinds import DifferenceKind
from services.payments.reconciliation.schemas import StatementOut
from shared.wording import numbers
from shared.wording.phrase import Phrase, sentences

TITLE = Phrase("Reconciliation", "ការផ្ទៀងផ្ទាត់")
PREPARED = Phrase("Prepared by, date", "រៀបចំដោយ កាលបរិច្ឆេទ")
CHECKED = Phrase("Checked by, date", "ត្រួតពិនិត្យដោយ កាលបរិច្ឆេទ")

STATEMENT = Phrase("Statement", "របាយការណ៍គណនី")
SENT = Phrase("Sent", "បានផ្ញើ")
SHA_256 = Phrase("SHA-256 of the file", "SHA-256 នៃឯកសារ")
SUPERSEDED = Phrase("Took the place of", "ជំនួស")

BOTH_SIDES = Phrase("Both sides", "ភាគីទាំងពីរ")
COUNT = Phrase("count", "ចំនួន")
AMOUNT = Phrase("amount", "ទឹកប្រាក់")
PAID = Phrase("Paid by our books", "បានទូទាត់តាមបញ្ជីរបស់យើង")
OUT = Phrase("Out on the statement", "ប្រាក់ចេញក្នុងរបាយការណ៍គណនី")
IN = Phrase("In on the statement", "ប្រាក់ចូលក្នុងរបាយការណ៍គណនី")
AGREEING = Phrase("Lines that agree", "បន្ទាត់ដែលត្រូវគ្នា")
SET_ASIDE_COUNT = Phrase("Lines set aside", "បន្ទាត់ដែលទុកដោយឡែក")
EXPLAINED = Phrase("Differences that ended by themselves", "ភាពខុសគ្នាដែលបានចប់ដោយខ្លួនឯង")
RESOLVED = Phrase("Differences that two persons ended", "ភាពខុសគ្នាដែលមនុស្សពីរនាក់បានបញ្ចប់")

BALANCES = Phrase("Balances", "សមតុល្យ")
CLOSING_BEFORE = Phrase("Closing of the day before", "សមតុល្យចុងថ្ងៃមុន")
OPENING = Phrase("Opening", "សមតុល្យដើមថ្ងៃ")
LINES = Phrase("Lines", "បន្ទាត់")
CLOSING = Phrase("Closing", "សមតុល្យចុងថ្ងៃ")
FLOAT = Phrase("PROVIDER_FLOAT when the day ended", "PROVIDER_FLOAT នៅចុងថ្ងៃ")
IN_TRANSIT = Phrase("IN_TRANSIT when the day ended", "IN_TRANSIT នៅចុងថ្ងៃ")
TOLD_LATER = Phrase("Gone by then, and booked later", "បានចេញរួចហើយ ប៉ុន្តែកត់ត្រានៅពេលក្រោយ")
EXPECTED = Phrase("Expected by our books", "រំពឹងទុកតាមបញ្ជីរបស់យើង")

NO_MATCH = Phrase("What does not match", "អ្វីដែលមិនត្រូវគ្នា")
OPEN = Phrase("open", "មិនទាន់ដោះស្រាយ")
ON_STATEMENT = Phrase("statement", "របាយការណ៍គណនី")
OUR_BOOKS = Phrase("our books", "បញ្ជីរបស់យើង")
IN_SUSPENSE = Phrase("in suspense", "រង់ចាំការបញ្ជាក់")
OLDEST = Phrase("oldest", "ចាស់ជាងគេ")
WHAT_TO_DO = Phrase("what to do", "ត្រូវធ្វើអ្វី")

EACH = Phrase("Each of them", "ភាពខុសគ្នានីមួយៗ")
NUMBER = Phrase("number", "លេខ")
KIND = Phrase("kind", "ប្រភេទ")
LINE = Phrase("line", "បន្ទាត់")
REFERENCE = Phrase("reference", "លេខយោង")
PAYMENT = Phrase("payment", "ការទូទាត់")
AGE = Phrase("age", "រយៈពេល")
ASSIGNED = Phrase("assigned to", "ប្រគល់ជូន")
MORE = Phrase(
    "There are more: GET /v1/differences lists them all.",
    "នៅមានទៀត៖ GET /v1/differences រាយបង្ហាញទាំងអស់។",
)

ENDED = Phrase("Ended by two persons", "បានបញ្ចប់ដោយមនុស្សពីរនាក់")
DECIDED = Phrase("what was decided", "អ្វីដែលបានសម្រេច")
BY = Phrase("by", "ដោយ")
ON = Phrase("on", "នៅថ្ងៃ")

SET_ASIDE = Phrase("Lines set aside", "បន្ទាត់ដែលទុកដោយឡែក")
FIELD = Phrase("field", "វាល")
WHY = Phrase("why", "មូលហេតុ")
NOT_TOLD = Phrase("not told", "មិនបានប្រាប់")

_KINDS: dict[DifferenceKind, str] = {
    DifferenceKind.UNKNOWN_PAYMENT: "ការទូទាត់ដែលមិនស្គាល់",
    DifferenceKind.PAID_AGAIN: "បានទូទាត់ម្តងទៀត",
    DifferenceKind.LINE_REPEATED: "បន្ទាត់ដដែល",
    DifferenceKind.UNKNOWN_RECEIPT: "ប្រាក់ចូលដែលមិនស្គាល់",
    DifferenceKind.OTHER_AMOUNT: "ទឹកប្រាក់ផ្សេង",
    DifferenceKind.OTHER_REFERENCE: "លេខយោងផ្សេង",
    DifferenceKind.AWAITING_ANSWER: "រង់ចាំចម្លើយ",
    DifferenceKind.NOT_PAID_HERE: "មិនទាន់កត់ត្រាថាបានទូទាត់",
    DifferenceKind.RETURNED_THERE: "បានត្រឡប់មកវិញនៅទីនោះ",
    DifferenceKind.OTHER_DAY: "ថ្ងៃផ្សេង",
    DifferenceKind.NOT_ON_STATEMENT: "គ្មានក្នុងរបាយការណ៍គណនី",
    DifferenceKind.PREFUNDING_NOT_ON_STATEMENT: "ប្រាក់បង់ជាមុនគ្មានក្នុងរបាយការណ៍គណនី",
    DifferenceKind.OPENING_DIFFERS: "សមតុល្យដើមថ្ងៃខុសគ្នា",
    DifferenceKind.CLOSING_DIFFERS: "សមតុល្យចុងថ្ងៃខុសគ្នា",
    DifferenceKind.FLOAT_DIFFERS: "សមតុល្យនៅអ្នកផ្តល់សេវាខុសគ្នា",
}

_RESOLVE = "POST /v1/differences/{number}/resolution"
_ACCEPT = f"ឬបញ្ចប់ជា accepted ដោយ {_RESOLVE}។ មនុស្សម្នាក់ទៀតត្រូវអនុម័ត។"
_RECORD = "POST /v1/resolutions។ មនុស្សម្នាក់ទៀតត្រូវអនុម័ត បន្ទាប់មកវាចប់ដោយខ្លួនឯង។"
_ASK = "សូមសួរអ្នកផ្តល់សេវា។"
_NEXT_DAY = "វាអាចមាននៅក្នុងរបាយការណ៍គណនីថ្ងៃបន្ទាប់ ដែលនឹងបញ្ចប់វា។"

_WAYS: dict[DifferenceKind, str] = {
    DifferenceKind.UNKNOWN_PAYMENT: f"{_ASK} បញ្ចប់ជា charged ឬ released បន្ទាប់ពីប្រាក់បានត្រឡប់មកវិញ ដោយ "
    f"{_RESOLVE}។ មនុស្សម្នាក់ទៀតត្រូវអនុម័ត។",
    DifferenceKind.PAID_AGAIN: "សូមឱ្យអ្នកផ្តល់សេវាយកការទូទាត់ទីពីរត្រឡប់វិញ។ បញ្ចប់ជា released "
    f"បន្ទាប់ពីប្រាក់បានត្រឡប់មកវិញ ឬ charged ដោយ {_RESOLVE}។ មនុស្សម្នាក់ទៀតត្រូវអនុម័ត។",
    DifferenceKind.LINE_REPEATED: "សូមសួរអ្នកផ្តល់សេវាថាបានទូទាត់ម្តងឬពីរដង ហើយសុំរបាយការណ៍គណនីដែលកែតម្រូវ។ "
    f"{_ACCEPT}",
    DifferenceKind.UNKNOWN_RECEIPT: "ប្រសិនបើរតនាគារបានបង់ សូមកត់ត្រាប្រាក់បង់ជាមុនជាមួយលេខយោងនេះ "
    f"នោះវាចប់ដោយខ្លួនឯង។ បើមិនដូច្នេះទេ បញ្ចប់ជា received ដោយ {_RESOLVE} {_ACCEPT}",
    DifferenceKind.OTHER_AMOUNT: f"សូមសួរអ្នកផ្តល់សេវាថាបានទូទាត់ប៉ុន្មាន ហើយកត់ត្រាវា៖ {_RECORD} "
    f"របាយការណ៍គណនីដែលកែតម្រូវក៏បញ្ចប់វាដែរ {_ACCEPT}",
    DifferenceKind.OTHER_REFERENCE: f"សូមសួរអ្នកផ្តល់សេវាថាលេខយោងណាត្រឹមត្រូវ {_ACCEPT}",
    DifferenceKind.AWAITING_ANSWER: "មិនបាច់ធ្វើអ្វីទេ៖ បន្ទាត់នេះត្រូវយកជាចម្លើយរបស់អ្នកផ្តល់សេវា "
    "ហើយវាចប់ដោយខ្លួនឯង។",
    DifferenceKind.NOT_PAID_HERE: f"សូមកត់ត្រាលទ្ធផល៖ {_RECORD} {_ACCEPT}",
    DifferenceKind.RETURNED_THERE: f"សូមកត់ត្រាថាប្រាក់បានត្រឡប់មកវិញ៖ {_RECORD} {_ACCEPT}",
    DifferenceKind.OTHER_DAY: "មិនបាច់ធ្វើអ្វីទេ៖ ភាគីទាំងពីរមានការទូទាត់ដូចគ្នា។",
    DifferenceKind.NOT_ON_STATEMENT: f"{_NEXT_DAY} បើមិនដូច្នេះទេ {_ASK} ប្រសិនបើមិនដែលបានទូទាត់ "
    f"សូមកត់ត្រាថាប្រាក់បានត្រឡប់មកវិញ៖ {_RECORD} {_ACCEPT}",
    DifferenceKind.PREFUNDING_NOT_ON_STATEMENT: f"{_NEXT_DAY} បើមិនដូច្នេះទេ "
    f"សូមសួររតនាគារថាបានផ្ញើឬអត់ {_ACCEPT}",
    DifferenceKind.OPENING_DIFFERS: "សូមសួរអ្នកផ្តល់សេវាថាមានអ្វីកត់ត្រានៅចន្លោះរបាយការណ៍គណនីទាំងពីរ "
    f"ឬសុំរបាយការណ៍ដែលកែតម្រូវ {_ACCEPT}",
    DifferenceKind.CLOSING_DIFFERS: "មានបន្ទាត់បាត់ ឬត្រូវបានទុកដោយឡែក៖ "
    "GET /v1/statements/{statement_id}/set-aside។ សូមសុំឯកសារពេញលេញពីអ្នកផ្តល់សេវា "
    f"{_ACCEPT}",
    DifferenceKind.FLOAT_DIFFERS: "ភាពខុសគ្នាផ្សេងទៀតនៃថ្ងៃនេះបូកបានប៉ុណ្ណេះ ឬមានអ្វីបាត់នៅក្នុងបញ្ជីណាមួយ "
    f"{_ACCEPT}",
}


def kind_of(kind: DifferenceKind) -> Phrase:
    """What a kind of difference is called: in English by the code that the API knows."""
    return Phrase(kind.value, f"{_KINDS[kind]} ({kind.value})")


def way_of(kind: DifferenceKind) -> Phrase:
    """The way out of a difference."""
    return Phrase(what_to_do(kind), _WAYS[kind])


def age(seconds: int) -> Phrase:
    """How old something is, in days, or in hours where it is younger than two of them."""
    days, hours = seconds // 86_400, seconds // 3_600
    if days > 1:
        return Phrase(f"{days} days", f"{numbers.khmer_digits(str(days))} ថ្ងៃ")
    return Phrase(f"{hours} hours", f"{numbers.khmer_digits(str(hours))} ម៉ោង")


def sent_by(when: str, who: str) -> Phrase:
    """When a file was sent, by whom."""
    return Phrase(f"{when} by {who}", f"{numbers.khmer_digits(when)} ដោយ {who}")


def superseded(statement: str, when: str, who: str) -> Phrase:
    """Which statement was replaced, when that was sent, by whom."""
    return Phrase(
        f"{statement}, sent {when} by {who}",
        f"{statement} បានផ្ញើ {numbers.khmer_digits(when)} ដោយ {who}",
    )


def no_statement(provider: str, day: str) -> Phrase:
    """The verdict where nothing was sent."""
    return Phrase(
        f"No statement of {provider} for {day} was sent: nothing can be said of it.",
        f"របាយការណ៍គណនីរបស់ {provider} សម្រាប់ថ្ងៃ {numbers.khmer_digits(day)} មិនទាន់បានផ្ញើ៖ "
        "មិនអាចនិយាយអ្វីបានទេ។",
    )


def verdict(statement: StatementOut, *, open_count: int, resolved_count: int) -> Phrase:
    """Whether everything matches, in a sentence or several."""
    parts: list[Phrase] = []
    if open_count:
        parts.append(
            Phrase(
                f"{_counted(open_count, 'difference')} open.",
                f"ភាពខុសគ្នា {_figure(open_count)} មិនទាន់ដោះស្រាយ។",
            )
        )
    if statement.set_aside_count:
        parts.append(
            Phrase(
                f"{_counted(statement.set_aside_count, 'line')} set aside.",
                f"បន្ទាត់ {_figure(statement.set_aside_count)} ត្រូវបានទុកដោយឡែក។",
            )
        )
    if not parts:
        parts.append(Phrase("Everything matches.", "អ្វីៗទាំងអស់ត្រូវគ្នា។"))
    if resolved_count:
        parts.append(
            Phrase(
                f"{_counted(resolved_count, 'difference')} resolved by two persons.",
                f"ភាពខុសគ្នា {_figure(resolved_count)} ត្រូវបានដោះស្រាយដោយមនុស្សពីរនាក់។",
            )
        )
    if statement.closing_minor is None:
        parts.append(
            Phrase(
                "The statement tells no balance, so none was compared.",
                "របាយការណ៍គណនីមិនប្រាប់សមតុល្យទេ ដូច្នេះគ្មានសមតុល្យណាត្រូវបានប្រៀបធៀប។",
            )
        )
    return sentences(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s are' if count > 1 else ' is'}"


def _figure(count: int) -> str:
    return numbers.number(count).km
