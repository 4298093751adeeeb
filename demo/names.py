"""Common Khmer names, family name first. Put together at random they name nobody."""

FAMILY_NAMES = tuple(
    """
    សុខ ចាន់ ជា ហេង កែវ គឹម លឹម លី ម៉ៅ មាស នួន អ៊ុក ប៉ែន ផាន ពេជ្រ ប្រាក់ រស់ សំ សេង ស៊ឹម
    សោម ស៊ុន ទេព ទូច វង្ស យឹម ឈឹម ញឹម ខៀវ ឆាយ
    """.split()  # noqa: SIM905 - read as a table
)

GIVEN_NAMES = tuple(
    """
    បុប្ផា ចាន់ធូ ដារ៉ា កុសល គន្ធា ម្លិះ ម៉ាលី មាលា និមល ផល្លា ពិសី ពិសិដ្ឋ រចនា រតនា រិទ្ធី សំណាង
    សារ៉ាត់ សុខា សុផល សុភា សុភាព សុធា ស្រីមុំ ស្រីនាង ធីតា វាសនា វណ្ណា វិជ្ជា វុទ្ធី សុវណ្ណ
    """.split()  # noqa: SIM905 - read as a table
)
