"""A rule taken apart: each of its clauses with what it asks, in words, and as a condition.

Whatever the compiler takes is taken apart here. Only AND, OR and NOT are looked into; any other
kind of node is a clause, which the compiler turns into SQL.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from pygeofilter import ast
from sqlalchemy import ColumnElement

from services.registry.rules.attributes import Attribute, Attributes
from services.registry.rules.compiler import Known, condition_of, named, parse_rule
from services.registry.rules.wording import choice_words
from shared.wording.numbers import khmer_digits
from shared.wording.phrase import Phrase

_LONGEST_LIST = 12


class Joint(StrEnum):
    """What a clause is."""

    ALL = "all"
    """It holds where all of its parts do."""
    ANY = "any"
    """It holds where one of its parts does."""
    NOT = "not"
    """It holds where its part does not."""
    CONDITION = "condition"
    """It has no parts."""


@dataclass(frozen=True)
class Clause:
    """A rule, or a part of one."""

    joint: Joint
    text: str
    """As CQL2 text."""
    words: Phrase
    attributes: Known
    """What it asks about by name, in the order in which it does."""
    parts: tuple["Clause", ...] = ()
    condition: ColumnElement[bool] | None = None
    """Of a condition: SQL over the attributes."""

    def conditions(self) -> Iterator["Clause"]:
        """Those that have no parts, in the order of the text."""
        if self.joint is Joint.CONDITION:
            yield self
        for part in self.parts:
            yield from part.conditions()


@dataclass(frozen=True)
class Judged:
    """A clause with whether it holds; None: nobody can say, for something is not known."""

    clause: Clause
    holds: bool | None
    parts: tuple["Judged", ...] = ()


def clauses_of(text: str, *, attributes: Attributes) -> Clause:
    """A rule, taken apart; raises RuleRefused."""
    return _clause(*parse_rule(text, attributes=attributes))


def judge(clause: Clause, answers: Iterator[bool | None]) -> Judged:
    """Whether it holds; ``answers`` are those of its conditions, in the order of the text.

    As in SQL: what is not known makes the whole unknown, unless it makes no difference.
    """
    if clause.joint is Joint.CONDITION:
        return Judged(clause, next(answers))
    parts = tuple(judge(part, answers) for part in clause.parts)
    return Judged(clause, _joined(clause.joint, [part.holds for part in parts]), parts)


def _joined(joint: Joint, holds: Sequence[bool | None]) -> bool | None:
    match joint:
        case Joint.ALL:
            return False if False in holds else None if None in holds else True
        case Joint.ANY:
            return True if True in holds else None if None in holds else False
        case Joint.NOT:
            (only,) = holds
            return None if only is None else not only
        case Joint.CONDITION:
            raise ValueError("A condition has no parts.")
        case _:
            assert_never(joint)


def _clause(node: Any, attributes: Known) -> Clause:
    match node:
        case ast.And():
            return _together(node, ast.And, Joint.ALL, attributes)
        case ast.Or():
            return _together(node, ast.Or, Joint.ANY, attributes)
        case ast.Not():
            part = _clause(node.sub_node, attributes)
            return Clause(
                Joint.NOT,
                f"NOT ({part.text})",
                Phrase(f"not ({part.words.en})", f"មិនមែន ({part.words.km})"),
                part.attributes,
                (part,),
            )
    return Clause(
        Joint.CONDITION,
        _text(node, attributes),
        _words(node, attributes),
        {name: attributes[name] for name in named(node)},
        condition=condition_of(node, attributes),
    )


def _together(node: Any, kind: type, joint: Joint, attributes: Known) -> Clause:
    parts = tuple(_clause(part, attributes) for part in _side_by_side(node, kind))
    between_en, between_km = {Joint.ALL: ("and", "និង"), Joint.ANY: ("or", "ឬ")}[joint]
    return Clause(
        joint,
        f" {between_en.upper()} ".join(f"({part.text})" for part in parts),
        Phrase(
            f" {between_en} ".join(_in_brackets(part, part.words.en) for part in parts),
            f" {between_km} ".join(_in_brackets(part, part.words.km) for part in parts),
        ),
        {name: asked for part in parts for name, asked in part.attributes.items()},
        parts,
    )


def _in_brackets(part: Clause, words: str) -> str:
    return f"({words})" if part.joint in (Joint.ALL, Joint.ANY) else words


def _side_by_side(node: Any, kind: type) -> Iterator[Any]:
    for side in (node.lhs, node.rhs):
        if isinstance(side, kind):
            yield from _side_by_side(side, kind)
        else:
            yield side


_SIGNS: Mapping[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mul: "*"}


def _text(node: Any, attributes: Known) -> str:
    def text(under: Any) -> str:
        return _text(under, attributes)

    match node:
        case ast.Comparison():
            return f"{text(node.lhs)} {node.op.value} {text(node.rhs)}"
        case ast.Between():
            word = "NOT BETWEEN" if node.not_ else "BETWEEN"
            return f"{text(node.lhs)} {word} {text(node.low)} AND {text(node.high)}"
        case ast.In():
            word = "NOT IN" if node.not_ else "IN"
            return f"{text(node.lhs)} {word} ({', '.join(map(text, node.sub_nodes))})"
        case ast.IsNull():
            return f"{text(node.lhs)} IS {'NOT ' if node.not_ else ''}NULL"
        case ast.Add() | ast.Sub() | ast.Mul():
            return f"({text(node.lhs)} {_SIGNS[type(node)]} {text(node.rhs)})"
        case ast.Attribute():
            asked = attributes[node.name].asked
            return str(node.name) if asked is None else asked.text
        case str():
            return f"'{node}'"
    return str(node)


_COMPARED = {
    ast.ComparisonOp.EQ: Phrase("is", "គឺ"),
    ast.ComparisonOp.NE: Phrase("is not", "មិនមែន"),
    ast.ComparisonOp.LT: Phrase("is below", "តិចជាង"),
    ast.ComparisonOp.LE: Phrase("is at most", "យ៉ាងច្រើន"),
    ast.ComparisonOp.GT: Phrase("is above", "ច្រើនជាង"),
    ast.ComparisonOp.GE: Phrase("is at least", "យ៉ាងតិច"),
}
_TURNED = {
    ast.ComparisonOp.LT: ast.ComparisonOp.GT,
    ast.ComparisonOp.LE: ast.ComparisonOp.GE,
    ast.ComparisonOp.GT: ast.ComparisonOp.LT,
    ast.ComparisonOp.GE: ast.ComparisonOp.LE,
}


def _words(node: Any, attributes: Known) -> Phrase:
    def told(value: Any) -> Phrase:
        return _value(value, attributes)

    match node:
        case ast.Comparison(lhs=ast.Attribute(), rhs=bool()):
            holds = node.rhs is (node.op is ast.ComparisonOp.EQ)
            question = told(node.lhs)
            return question if holds else Phrase(f"not ({question.en})", f"មិនមែន ({question.km})")
        case ast.Comparison(lhs=lhs, rhs=rhs) if not isinstance(lhs, ast.Node):
            # What a constant is compared with stands first when it is said.
            return _said(told(rhs), _COMPARED[_TURNED.get(node.op, node.op)], told(lhs))
        case ast.Comparison(lhs=lhs, rhs=rhs):
            return _said(told(lhs), _COMPARED[node.op], told(rhs))
        case ast.Between(lhs=lhs, low=low, high=high):
            low, high = told(low), told(high)
            verb = (
                Phrase("is not between", "មិនស្ថិតនៅចន្លោះ")
                if node.not_
                else Phrase("is between", "ស្ថិតនៅចន្លោះ")
            )
            return _said(
                told(lhs), verb, Phrase(f"{low.en} and {high.en}", f"{low.km} និង {high.km}")
            )
        case ast.In(lhs=lhs, sub_nodes=choices):
            verb = (
                Phrase("is none of", "មិនស្ថិតក្នុងចំណោម")
                if node.not_
                else Phrase("is one of", "ស្ថិតក្នុងចំណោម")
            )
            return _said(told(lhs), verb, _some([told(choice) for choice in choices]))
        case ast.IsNull(lhs=lhs):
            name = told(lhs)
            return (
                Phrase(f"{name.en} is known", f"{name.km} មានទិន្នន័យ")
                if node.not_
                else Phrase(f"{name.en} is not known", f"{name.km} គ្មានទិន្នន័យ")
            )
    return Phrase.same(_text(node, attributes))


def _said(subject: Phrase, verb: Phrase, value: Phrase) -> Phrase:
    return Phrase(
        f"{subject.en} {verb.en} {value.en}",
        f"{subject.km} {verb.km} {value.km}",
    )


def _some(values: Sequence[Phrase]) -> Phrase:
    more = len(values) - _LONGEST_LIST
    shown = values[:_LONGEST_LIST]
    return Phrase(
        ", ".join(value.en for value in shown) + (f" and {more} more" if more > 0 else ""),
        ", ".join(value.km for value in shown)
        + (f" និង {khmer_digits(str(more))} ទៀត" if more > 0 else ""),
    )


def _value(node: Any, attributes: Known) -> Phrase:
    match node:
        case ast.Attribute():
            attribute = attributes[node.name]
            words, asked = attribute.words, attribute.asked
            if asked is None or asked.known is None:
                return Phrase(words.english, words.khmer)
            of_each = _clause(asked.tree, asked.known).words
            return Phrase(f"{words.english} ({of_each.en})", f"{words.khmer} ({of_each.km})")
        case ast.Add() | ast.Sub() | ast.Mul():
            left, right = _value(node.lhs, attributes), _value(node.rhs, attributes)
            sign = {"*": "×", "-": "−"}.get(_SIGNS[type(node)], "+")
            return Phrase(f"({left.en} {sign} {right.en})", f"({left.km} {sign} {right.km})")
        case str():
            return choice_words(node)
    return Phrase(str(node), khmer_digits(str(node)))


def value_in_words(attribute: Attribute, value: Any) -> Phrase:
    """What an attribute is, for whoever reads why; None: not known."""
    if value is None:
        return Phrase("not known", "គ្មានទិន្នន័យ")
    if isinstance(value, bool):
        return Phrase("yes", "បាទ/ចាស") if value else Phrase("no", "ទេ")
    if attribute.allowed is not None:
        return choice_words(str(value))
    if attribute.pattern is not None:
        return Phrase.same(str(value))
    return Phrase(str(value), khmer_digits(str(value)))
