"""CQL2 text to SQL: parsed by pygeofilter, checked by type, compiled with bound parameters.

Source: OGC 21-065r2, Common Query Language (CQL2). An attribute without a value makes a
comparison unknown, as in SQL, and a household for which a rule is unknown is not eligible.
"""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lark.exceptions import LarkError
from pygeofilter import ast
from pygeofilter.parsers.cql2_text import parse
from sqlalchemy import ColumnElement, Enum, Integer, Numeric, Text, and_, cast, literal, not_, or_

from services.registry.rules.attributes import Attribute, Kind
from services.registry.rules.structure import RuleRefused, normalised

# pygeofilter turns the debug log of its parser generator on, for the whole process.
logging.getLogger("lark").setLevel(logging.CRITICAL)

MAXIMUM_CHOICES = 200

Attributes = Mapping[str, Attribute]


def compile_rule(text: str, *, attributes: Attributes) -> ColumnElement[bool]:
    """The SQL condition of a rule over ``attributes``; raises RuleRefused, and nothing else."""
    prepared = normalised(text, names=attributes.keys())
    try:
        tree = parse(prepared)
    except LarkError as error:
        column = getattr(error, "column", None)
        place = prepared[column - 1 :][:30] if isinstance(column, int) and column > 0 else ""
        where = f"at “{place}”" if place else "at its end"
        raise RuleRefused(f"The rule cannot be read {where}: it is not CQL2 text.") from None
    return _condition(tree, attributes)


def _condition(node: Any, attributes: Attributes) -> ColumnElement[bool]:
    match node:
        case ast.And():
            return and_(_condition(node.lhs, attributes), _condition(node.rhs, attributes))
        case ast.Or():
            return or_(_condition(node.lhs, attributes), _condition(node.rhs, attributes))
        case ast.Not():
            return not_(_condition(node.sub_node, attributes))
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


def _comparison(node: ast.Comparison, attributes: Attributes) -> ColumnElement[bool]:
    _require_attribute([node.lhs, node.rhs])
    kind = _same_kind([node.lhs, node.rhs], attributes)
    if kind is Kind.TEXT:
        if node.op not in (ast.ComparisonOp.EQ, ast.ComparisonOp.NE):
            raise RuleRefused("Text is compared with =, <> and IN only.")
        _check_texts(node.lhs, [node.rhs], attributes)
        _check_texts(node.rhs, [node.lhs], attributes)
        left, right = _texts([node.lhs, node.rhs], attributes)
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


def _between(node: ast.Between, attributes: Attributes) -> ColumnElement[bool]:
    sides = [node.lhs, node.low, node.high]
    _require_attribute(sides)
    if _same_kind(sides, attributes) is not Kind.NUMBER:
        raise RuleRefused("BETWEEN is for numbers; list texts with IN.")
    value, low, high = (_expression(side, attributes) for side in sides)
    condition = value.between(low, high)
    return not_(condition) if node.not_ else condition


def _choice(node: ast.In, attributes: Attributes) -> ColumnElement[bool]:
    choices = list(node.sub_nodes)
    if len(choices) > MAXIMUM_CHOICES:
        raise RuleRefused(f"IN lists at most {MAXIMUM_CHOICES} values.")
    if any(isinstance(choice, ast.Node) for choice in choices):
        raise RuleRefused("IN lists constants only.")
    _require_attribute([node.lhs])
    if _same_kind([node.lhs, *choices], attributes) is Kind.TEXT:
        _check_texts(node.lhs, choices, attributes)
        value, *among = _texts([node.lhs, *choices], attributes)
    else:
        value, *among = (_expression(side, attributes) for side in [node.lhs, *choices])
    condition = value.in_(among)
    return not_(condition) if node.not_ else condition


def _asked_about(node: Any, attributes: Attributes) -> Attribute:
    if not isinstance(node, ast.Attribute):
        raise RuleRefused("IS NULL asks about an attribute.")
    return _attribute(node, attributes)


def _attribute(node: ast.Attribute, attributes: Attributes) -> Attribute:
    # A keyword that stands where a value should is read as a name.
    try:
        return attributes[node.name]
    except KeyError:
        raise RuleRefused(f"{node.name} stands where an attribute or a value should.") from None


def _require_attribute(sides: list[Any]) -> None:
    if not any(isinstance(side, ast.Node) for side in sides):
        raise RuleRefused("A comparison of constants says nothing: name an attribute in it.")


def _same_kind(sides: list[Any], attributes: Attributes) -> Kind:
    kinds = {_kind(side, attributes) for side in sides}
    if len(kinds) > 1:
        raise RuleRefused("A number is compared with text. Numbers stand without quotes.")
    return kinds.pop()


def _kind(node: Any, attributes: Attributes) -> Kind:
    match node:
        case ast.Attribute():
            return _attribute(node, attributes).kind
        case ast.Add() | ast.Sub() | ast.Mul():
            for side in (node.lhs, node.rhs):
                if _kind(side, attributes) is not Kind.NUMBER:
                    raise RuleRefused("Only numbers are added, subtracted and multiplied.")
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case bool():
            pass
        case int() | float():
            return Kind.NUMBER
    raise RuleRefused("Only attributes, numbers, texts and + - * can be compared.")


def _check_texts(side: Any, others: list[Any], attributes: Attributes) -> None:
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


def _texts(sides: list[Any], attributes: Attributes) -> list[ColumnElement[Any]]:
    """Texts as one type: a constant beside a column of an enum type is of that type."""
    columns = [_attribute(side, attributes).column for side in sides if isinstance(side, ast.Node)]
    if len(columns) > 1:
        return [cast(column, Text) for column in columns]
    (column,) = columns
    text_type = column.type if isinstance(column.type, Enum) else Text()
    return [column if isinstance(side, ast.Node) else literal(side, text_type) for side in sides]


def _expression(node: Any, attributes: Attributes, *, exact: bool = False) -> ColumnElement[Any]:
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
        case int():
            return literal(Decimal(node), Numeric) if exact else literal(node, Integer)
        case float():
            return literal(Decimal(repr(node)), Numeric)
    raise RuleRefused("Only attributes, numbers, texts and + - * can be compared.")
