"""How a cell is to be written, in Khmer: what ``Field.remedy`` and faults say in English."""

from services.registry.households.fields import (
    Choice,
    Code,
    Codes,
    Commune,
    Count,
    Day,
    Field,
    Kept,
    Kind,
    Name,
    Phone,
    Village,
    YesNo,
)
from services.registry.households.shape import PROVIDER, SHAPE
from services.registry.imports import faults
from services.registry.members.shape import MEMBER_SHAPE
from shared.wording.numbers import khmer_digits

_FIELDS = {known.header: known for known in (*SHAPE, *MEMBER_SHAPE)}
_INSTEAD = {
    faults.TOO_LONG: 'សូមរកសញ្ញា " ដែលបើកហើយមិនបិទនៅខាងលើ ឬបំព្រួញជួរនេះ។',
    faults.QUOTE_OPEN: 'សូមបិទសញ្ញា "។',
    faults.NO_OBJECT: "សូមសរសេរ object មួយក្នុងសញ្ញា { } លើបន្ទាត់នីមួយៗ។",
    faults.CELLS: "សូមឱ្យជួរនេះមានក្រឡាមួយសម្រាប់ក្បាលតារាងនីមួយៗ។",
    faults.TOO_MANY: "សូមពិនិត្យមើល ក្រែងជួរនៃគ្រួសារច្រើនមានលេខចុះបញ្ជីតែមួយ។",
    faults.NOT_REGISTERED: "សូមនាំចូលគ្រួសារជាមុនសិន ឬបន្ថែមឃុំ/សង្កាត់ និងកម្រិតក្រីក្រ។",
    faults.CONTRADICTS: "សូមកែមួយណាដែលខុស។",
    faults.DISAGREES: "សូមសរសេរដូចគ្នាក្នុងគ្រប់ជួរនៃគ្រួសារ ឬក្នុងជួរទីមួយតែមួយ។",
    faults.DAMAGED: "សូមរក្សាទុកឯកសារជា UTF-8 ហើយផ្ញើម្តងទៀត។",
}
_OR_EMPTY = " ឬទុកឱ្យនៅទទេ"


def remedy_in_khmer(column: str, code: str) -> str:
    """How to mend a fault of a column, which is a field's header or stands for the whole row."""
    if code in _INSTEAD:
        return _INSTEAD[code]
    known = _FIELDS.get(column)
    if known is None:
        return ""
    if known is PROVIDER and code == "unknown":
        return "សូមសរសេរកូដនៃអ្នកផ្តល់សេវាដែលប្រព័ន្ធទូទាត់ស្គាល់។"
    return f"សូមសរសេរ{_written(known.kind)}{_or_empty(known)}។"


def _or_empty(known: Field) -> str:
    if not known.optional:
        return ""
    return " ឬទុកអ្នកផ្តល់សេវា និងគណនីឱ្យនៅទទេ" if known.kept is Kept.ACCOUNT else _OR_EMPTY


def _written(kind: Kind) -> str:
    match kind:
        case Count(least=least, most=most):
            return f"ចំនួនគត់ពី {_number(least)} ដល់ {_number(most)}"
        case Commune():
            return "លេខកូដឃុំ/សង្កាត់ ៦ ខ្ទង់ រួមទាំងលេខសូន្យខាងមុខ"
        case Village():
            return "លេខកូដភូមិ ៨ ខ្ទង់ នៃឃុំ/សង្កាត់នេះ"
        case Choice(choices=choices):
            return f"មួយក្នុងចំណោម៖ {', '.join(choices)}"
        case YesNo():
            return " yes ឬ no"
        case Day():
            return "ថ្ងៃជា ឆ្នាំ-ខែ-ថ្ងៃ ដូចជា 1986-04-13"
        case Phone():
            return "លេខទូរសព្ទកម្ពុជា ដែលផ្តើមដោយ +855 ឬ 0 ហើយមាន ៨ ឬ ៩ ខ្ទង់បន្ទាប់"
        case Name(longest=longest):
            return f"ឈ្មោះលើបន្ទាត់តែមួយ មិនលើសពី {_number(longest)} តួអក្សរ"
        case Code(looks_like=looks_like, longest=longest):
            signs = "- ឬ /" if "/" in looks_like else "-"
            return f"អក្សរឡាតាំង លេខ ឬសញ្ញា {signs} មិនលើសពី {_number(longest)} តួ"
        case Codes():
            return "កូដកម្មវិធី ដោយដាក់សញ្ញា ; នៅចន្លោះ"
        case _:
            raise TypeError(f"{type(kind).__name__} has no words in Khmer. Write them here.")


def _number(number: int) -> str:
    return khmer_digits(str(number))
