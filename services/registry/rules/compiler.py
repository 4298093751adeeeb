"""CQL2 text to SQL: parsed by pygeofilter, checked by type, compiled with bound parameters.

Source: OGC 21-065r2, Common Query Language (CQL2). An attribute without a value makes a
comparison unknown, as in SQL, and a household for which a rule is unknown is not eligible. What is
asked of members is unknown for a household whose source gives only counts.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from lark.exceptions import LarkError
from pygeofilter import ast
from pygeofilter.parsers.cql2_text import parse
from sqlalchemy import (
    ColumnElement,
    Enum,
    Integer,
    Numeric,
    Text,
    and_,
    cast,
    false,
    literal,
    not_,
    or_,
    true,
)

from services.registry.households.fields import Words
from services.registry.members import statements
from services.registry.rules.attributes import (
    MOST_REACHED,
    Asked,
    Attribute,
    Attributes,
    Kind,
    in_programmes,
)
from services.registry.rules.structure import (
    A_CONTAINS,
    A_OVERLAPS,
    ALL_MEMBERS,
    ANY_MEMBER,
    COUNT_MEMBERS,
    OfList,
    OfMembers,
    Prepared,
    RuleRefused,
    Vocabulary,
    prepared,
)

# pygeofilter turns the debug log of its parser generator on, for the whole process.
logging.getLogger("lark").setLevel(logging.CRITICAL)

MAXIMUM_CHOICES = 200

Known = Mapping[str, Attribute]


def compile_rule(text: str, *, attributes: Attributes) -> ColumnElement[bool]:
    """The SQL condition of a rule over ``attributes``; raises RuleRefused, and nothing else."""
    return condition_of(*parse_rule(text, attributes=attributes))


def parse_rule(text: str, *, attributes: Attributes) -> tuple[Any, Known]:
    """A rule as pygeofilter's tree, its types not checked yet, and what its names stand for.

    Raises RuleRefused.
    """
    return _parsed(prepared(text, _vocabulary(attributes)), attributes)


def asks_about_members(text: str, *, attributes: Attributes) -> bool:
    """Whether a rule that can be compiled asks more of members than how many there are."""
    questions = prepared(text, _vocabulary(attributes)).questions.values()
    return any(isinstance(question, OfMembers) for question in questions)


def programmes_asked(text: str, *, attributes: Attributes) -> set[str]:
    """The codes of the programmes that a rule that can be compiled asks about."""
    return {
        code
        for question in prepared(text, _vocabulary(attributes)).questions.values()
        if isinstance(question, OfMembers)
        for listed in question.condition.questions.values()
        if isinstance(listed, OfList)
        for code in listed.texts
    }


def _vocabulary(attributes: Attributes) -> Vocabulary:
    return Vocabulary(
        names=attributes.keys(),
        lists=[name for name, told in attributes.items() if told.kind is Kind.TEXTS],
        members=None if attributes.members is None else _vocabulary(attributes.members),
    )


def _parsed(rule: Prepared, attributes: Attributes) -> tuple[Any, Known]:
    try:
        tree = parse(rule.text)
    except LarkError as error:
        column = getattr(error, "column", None)
        place = rule.text[column - 1 :][:30] if isinstance(column, int) and column > 0 else ""
        where = f"at “{place}”" if place else "at its end"
        raise RuleRefused(f"The rule cannot be read {where}: it is not CQL2 text.") from None
    answers = {name: _answer(asked, attributes) for name, asked in rule.questions.items()}
    return tree, {**attributes, **answers}


def _answer(question: OfMembers | OfList, attributes: Attributes) -> Attribute:
    """What a question asks for, as an attribute that the rule compares."""
    if isinstance(question, OfList):
        listed = attributes[question.name]
        _check_listed(question.name, question.texts, listed)
        every = question.function == A_CONTAINS
        return Attribute(
            Kind.YES_NO,
            in_programmes(question.texts, every=every),
            "TRUE or FALSE",
            _LISTED[question.function].of(listed.words, ", ".join(question.texts)),
            sensitive=listed.sensitive,
            asked=Asked(question.written),
        )
    assert attributes.members is not None
    tree, known = _parsed(question.condition, attributes.members)
    condition = condition_of(tree, known)
    kind = Kind.YES_NO
    column: ColumnElement[Any] = statements.any_member(condition)
    if question.function == ALL_MEMBERS:
        column = statements.all_members(condition)
    elif question.function == COUNT_MEMBERS:
        kind, column = Kind.NUMBER, statements.count_members(condition)
    return Attribute(
        kind,
        column,
        "how many members" if kind is Kind.NUMBER else "TRUE or FALSE",
        _ASKED[question.function],
        sensitive=any(known[name].sensitive for name in named(tree)),
        asked=Asked(question.written, tree, known),
    )


_ASKED: Mapping[str, Words] = {
    ANY_MEMBER: Words("Some member", "មានសមាជិកណាម្នាក់"),
    ALL_MEMBERS: Words("Every member", "សមាជិកគ្រប់រូប"),
    COUNT_MEMBERS: Words("Number of members", "ចំនួនសមាជិក"),
}


class _Listing(NamedTuple):
    """How a question about a list is said."""

    english: str
    khmer: str

    def of(self, asked_about: Words, texts: str) -> Words:
        return Words(
            self.english.format(asked_about.english, texts),
            self.khmer.format(asked_about.khmer, texts),
        )


_LISTED: Mapping[str, _Listing] = {
    A_CONTAINS: _Listing("{} include all of {}", "{} រួមមានទាំង {}"),
    A_OVERLAPS: _Listing("{} include one of {}", "{} រួមមានមួយក្នុងចំណោម {}"),
}


def named(node: Any) -> Iterator[str]:
    """The attributes in a node of any kind."""
    if isinstance(node, ast.Attribute):
        yield node.name
    elif isinstance(node, ast.Node):
        for under in node.get_sub_nodes():
            yield from named(under)
    elif isinstance(node, list | tuple):
        for under in node:
            yield from named(under)


def condition_of(node: Any, attributes: Known) -> ColumnElement[bool]:
    """The SQL condition of a rule, or of a part of one; raises RuleRefused."""
    match node:
        case ast.And():
            return and_(condition_of(node.lhs, attributes), condition_of(node.rhs, attributes))
        case ast.Or():
            return or_(condition_of(node.lhs, attributes), condition_of(node.rhs, attributes))
        case ast.Not():
            return not_(condition_of(node.sub_node, attributes))
        case ast.Comparison():
            return _comparison(node, attributes)
        case ast.Between():
            return _between(node, attributes)
        case ast.In():
            return _choice(node, attributes)
        case ast.IsNull():
            column = _asked_about(node.lhs, attributes).column
            return column.is_not(None) if node.not_ else column.is_(None)
    raise RuleRefused(
        "A rule is made of comparisons, IN, BETWEEN and IS NULL, joined by AND, OR and NOT."
    )


def _comparison(node: ast.Comparison, attributes: Known) -> ColumnElement[bool]:
    _require_attribute([node.lhs, node.rhs])
    kind = _same_kind([node.lhs, node.rhs], attributes)
    if kind is Kind.YES_NO and node.op not in (ast.ComparisonOp.EQ, ast.ComparisonOp.NE):
        raise RuleRefused("TRUE and FALSE are compared with = and <> only.")
    if kind is Kind.TEXT:
        if node.op not in (ast.ComparisonOp.EQ, ast.ComparisonOp.NE):
            raise RuleRefused("Text is compared with =, <> and IN only.")
        _check_texts(node.lhs, [node.rhs], attributes)
        _check_texts(node.rhs, [node.lhs], attributes)
        left, right = _texts([node.lhs, node.rhs], attributes)
    elif (reached := _reached(node, attributes)) is not None:
        return reached
    else:
        left, right = (_expression(side, attributes) for side in (node.lhs, node.rhs))
    match node.op:
        case ast.ComparisonOp.EQ:
            return left == right
        case ast.ComparisonOp.NE:
            return left != right
        case ast.ComparisonOp.LT:
            return left < right
        case ast.ComparisonOp.LE:
            return left <= right
        case ast.ComparisonOp.GT:
            return left > right
        case _:
            return left >= right


_MIRRORED: Mapping[ast.ComparisonOp, ast.ComparisonOp] = {
    ast.ComparisonOp.EQ: ast.ComparisonOp.EQ,
    ast.ComparisonOp.LT: ast.ComparisonOp.GT,
    ast.ComparisonOp.LE: ast.ComparisonOp.GE,
    ast.ComparisonOp.GT: ast.ComparisonOp.LT,
    ast.ComparisonOp.GE: ast.ComparisonOp.LE,
}


def _reached(node: ast.Comparison, attributes: Known) -> ColumnElement[bool] | None:
    """A comparison of a number that takes long to work out with a constant, without doing so.

    None: it has to be worked out.
    """
    value, constant, op = node.lhs, node.rhs, node.op
    if isinstance(constant, ast.Node):
        value, constant, op = constant, value, _MIRRORED.get(op)
    if not isinstance(value, ast.Attribute) or type(constant) is not int:
        return None
    reaches = _attribute(value, attributes).reaches
    if reaches is None or not 1 <= constant < MOST_REACHED:
        return None
    match op:
        case ast.ComparisonOp.GE:
            return reaches(constant)
        case ast.ComparisonOp.GT:
            return reaches(constant + 1)
        case ast.ComparisonOp.LT:
            return not_(reaches(constant))
        case ast.ComparisonOp.LE:
            return not_(reaches(constant + 1))
        case ast.ComparisonOp.EQ:
            return and_(reaches(constant), not_(reaches(constant + 1)))
        case _:
            return None


def _between(node: ast.Between, attributes: Known) -> ColumnElement[bool]:
    sides = [node.lhs, node.low, node.high]
    _require_attribute(sides)
    if _same_kind(sides, attributes) is not Kind.NUMBER:
        raise RuleRefused("BETWEEN is for numbers; list texts with IN.")
    value, low, high = (_expression(side, attributes) for side in sides)
    condition = value.between(low, high)
    return not_(condition) if node.not_ else condition


def _choice(node: ast.In, attributes: Known) -> ColumnElement[bool]:
    choices = list(node.sub_nodes)
    if len(choices) > MAXIMUM_CHOICES:
        raise RuleRefused(f"IN lists at most {MAXIMUM_CHOICES} values.")
    if any(isinstance(choice, ast.Node) for choice in choices):
        raise RuleRefused("IN lists constants only.")
    _require_attribute([node.lhs])
    kind = _same_kind([node.lhs, *choices], attributes)
    if kind is Kind.YES_NO:
        raise RuleRefused("IN lists numbers and texts; compare with = TRUE or = FALSE.")
    if kind is Kind.TEXT:
        _check_texts(node.lhs, choices, attributes)
        value, *among = _texts([node.lhs, *choices], attributes)
    else:
        value, *among = (_expression(side, attributes) for side in [node.lhs, *choices])
    condition = value.in_(among)
    return not_(condition) if node.not_ else condition


def _asked_about(node: Any, attributes: Known) -> Attribute:
    if not isinstance(node, ast.Attribute):
        raise RuleRefused("IS NULL asks about an attribute.")
    attribute = _attribute(node, attributes)
    if attribute.kind is Kind.TEXTS:
        raise RuleRefused(_ASK_LISTS.format(name=node.name))
    return attribute


_ASK_LISTS = "{name} are several: ask A_CONTAINS({name}, ('one', 'another')), or A_OVERLAPS."


def _attribute(node: ast.Attribute, attributes: Known) -> Attribute:
    # A keyword that stands where a value should is read as a name.
    try:
        return attributes[node.name]
    except KeyError:
        raise RuleRefused(f"{node.name} stands where an attribute or a value should.") from None


def _require_attribute(sides: list[Any]) -> None:
    if not any(isinstance(side, ast.Node) for side in sides):
        raise RuleRefused("A comparison of constants says nothing: name an attribute in it.")


def _same_kind(sides: list[Any], attributes: Known) -> Kind:
    kinds = {_kind(side, attributes) for side in sides}
    if len(kinds) > 1 and Kind.YES_NO in kinds:
        raise RuleRefused("TRUE and FALSE are compared with what is yes or no, and that with them.")
    if len(kinds) > 1:
        raise RuleRefused("A number is compared with text. Numbers stand without quotes.")
    return kinds.pop()


def _kind(node: Any, attributes: Known) -> Kind:
    match node:
        case ast.Attribute():
            kind = _attribute(node, attributes).kind
            if kind is Kind.TEXTS:
                raise RuleRefused(_ASK_LISTS.format(name=node.name))
            return kind
        case ast.Add() | ast.Sub() | ast.Mul():
            for side in (node.lhs, node.rhs):
                if _kind(side, attributes) is not Kind.NUMBER:
                    raise RuleRefused("Only numbers are added, subtracted and multiplied.")
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case bool():
            return Kind.YES_NO
        case int() | float():
            return Kind.NUMBER
    raise RuleRefused("Only attributes, numbers, texts and + - * can be compared.")


def _check_listed(name: str, texts: Sequence[str], attribute: Attribute) -> None:
    for text in texts:
        if not attribute.accepts(text):
            raise RuleRefused(f"{name} are never '{text[:40]}': it is no code of a programme.")


def _check_texts(side: Any, others: list[Any], attributes: Known) -> None:
    """A text that the attribute can never equal is a slip of the pen: say so at once."""
    if not isinstance(side, ast.Attribute):
        return
    attribute = _attribute(side, attributes)
    for other in others:
        if isinstance(other, str) and not attribute.accepts(other):
            raise RuleRefused(
                f"{side.name} is never '{other[:40]}': it is {attribute.meaning}. "
                "Codes keep their leading zeros."
            )


def _texts(sides: list[Any], attributes: Known) -> list[ColumnElement[Any]]:
    """Texts as one type: a constant beside a column of an enum type is of that type."""
    columns = [_attribute(side, attributes).column for side in sides if isinstance(side, ast.Node)]
    if len(columns) > 1:
        return [cast(column, Text) for column in columns]
    (column,) = columns
    text_type = column.type if isinstance(column.type, Enum) else Text()
    return [column if isinstance(side, ast.Node) else literal(side, text_type) for side in sides]


def _expression(node: Any, attributes: Known, *, exact: bool = False) -> ColumnElement[Any]:
    """``exact``: as numeric, so that no product of small integers overflows."""
    match node:
        case ast.Attribute():
            column = _attribute(node, attributes).column
            return cast(column, Numeric) if exact else column
        case ast.Add() | ast.Sub() | ast.Mul():
            left, right = (
                _expression(side, attributes, exact=True) for side in (node.lhs, node.rhs)
            )
            match node:
                case ast.Add():
                    return left + right
                case ast.Sub():
                    return left - right
                case _:
                    return left * right
        case str():
            return literal(node, Text)
        case bool():
            return true() if node else false()
        case int():
            return literal(Decimal(node), Numeric) if exact else literal(node, Integer)
        case float():
            return literal(Decimal(repr(node)), Numeric)
    raise RuleRefused("Only attributes, numbers, texts and + - * can be compared.")
