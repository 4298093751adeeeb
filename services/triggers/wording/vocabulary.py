"""The programme's own words: stages, severities, states and what was done, by their codes."""

from collections.abc import Mapping

from shared.wording.phrase import Phrase

STAGES: Mapping[str, Phrase] = {
    "none": Phrase("nothing", "មិនដល់កម្រិតណាមួយ"),
    "watch": Phrase("watch", "តាមដាន"),
    "readiness": Phrase("readiness", "ត្រៀមខ្លួន"),
    "activation": Phrase("activation", "បើកដំណើរការ"),
    "stop": Phrase("stop", "បញ្ឈប់"),
}

SEVERITIES: Mapping[str, Phrase] = {
    "moderate": Phrase("moderate", "មធ្យម"),
    "severe": Phrase("severe", "ធ្ងន់ធ្ងរ"),
    "extreme": Phrase("extreme", "ធ្ងន់ធ្ងរបំផុត"),
}

STATES: Mapping[str, Phrase] = {
    "proposed": Phrase(
        "It is proposed: nothing is paid before it opens.",
        "ត្រូវបានស្នើឡើង៖ មិនទាន់មានការទូទាត់ប្រាក់ទេ មុនពេលបើកដំណើរការ។",
    ),
    "open": Phrase(
        "It is open: households are enrolled and paid, and later evidence may add areas.",
        "កំពុងដំណើរការ៖ គ្រួសារត្រូវបានចុះឈ្មោះ និងទទួលប្រាក់ ហើយភស្តុតាងថ្មីអាចបន្ថែមតំបន់ទៀត។",
    ),
    "declined": Phrase("It was declined: nothing is paid.", "ត្រូវបានបដិសេធ៖ មិនមានការទូទាត់ប្រាក់ទេ។"),
    "closed": Phrase(
        "It is closed: no area is added any more, and what was opened is paid.",
        "ត្រូវបានបិទ៖ លែងបន្ថែមតំបន់ទៀត ហើយអ្វីដែលបានបើកត្រូវបានទូទាត់។",
    ),
    "cancelled": Phrase(
        "It was cancelled: what had not been sent is not paid.",
        "ត្រូវបានលុបចោល៖ ប្រាក់ដែលមិនទាន់បានផ្ញើ នឹងមិនត្រូវបានទូទាត់ទេ។",
    ),
    "expired": Phrase(
        "Nobody decided in time: nothing is paid.",
        "គ្មានអ្នកសម្រេចទាន់ពេល៖ មិនមានការទូទាត់ប្រាក់ទេ។",
    ),
}

SHOCKS: Mapping[str, Phrase] = {
    "flood": Phrase("Flood", "ទឹកជំនន់"),
    "price": Phrase("Rise of prices", "ការឡើងថ្លៃទំនិញ"),
    "drought": Phrase("Drought", "គ្រោះរាំងស្ងួត"),
    "storm": Phrase("Storm", "ព្យុះ"),
}


def shock(code: str) -> Phrase:
    """What happened, in words; a code that has none stands for itself."""
    return SHOCKS.get(code, Phrase.same(code))
