"""Checks on a rule's text before it is parsed.

pygeofilter 0.4.0 gives AND and OR the same precedence, left to right, where CQL2 lets AND bind
tighter, and it reads NOT before a single predicate only. A text on which the two would differ is
refused here. So is every word and sign that our rules have no use for, which keeps functions,
geometries and dates away from the parser.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from shared.errors import Explained

MAXIMUM_CHARACTERS = 2_000
MAXIMUM_DEPTH = 16
MAXIMUM_TOKENS = 400

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<text>'[^'\r\n]*')
    | (?P<quoted>"[A-Za-z0-9_]*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<sign><=|>=|<>|[-+*=<>(),])
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL"})


class RuleRefused(Explained, ValueError):
    """A rule's text that is not taken, with what is wrong and what to write instead."""


@dataclass
class _Level:
    """What stands between one pair of parentheses."""

    negated: bool = False
    joins: set[str] = field(default_factory=set)
    open_betweens: int = 0


def normalised(text: str, *, names: Collection[str]) -> str:
    """The text on one line, once it is certain that the parser reads it as CQL2 means it.

    Raises RuleRefused.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise RuleRefused(f"A rule has at most {MAXIMUM_CHARACTERS} characters; this has more.")
    tokens = _tokens(text, names=names)
    if not tokens:
        raise RuleRefused("The rule is empty: write a condition, or null for every household.")
    _check_levels(tokens)
    _check_minus_signs(tokens)
    return " ".join(tokens)


def _tokens(text: str, *, names: Collection[str]) -> list[str]:
    tokens: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleRefused(
                f"Character {position + 1} has no place in a rule. Use comparisons "
                "(= <> < <= > >=), IN, BETWEEN, IS NULL, AND, OR, NOT, + - * and text in quotes."
            )
        position = match.end()
        if match.lastgroup != "space":
            tokens.append(_checked(match, names=names))
    if len(tokens) > MAXIMUM_TOKENS:
        raise RuleRefused(f"A rule has at most {MAXIMUM_TOKENS} words and signs; this has more.")
    return tokens


def _checked(match: re.Match[str], *, names: Collection[str]) -> str:
    token = match.group()
    match match.lastgroup:
        case "word" if token.upper() in _KEYWORDS:
            return token.upper()
        case "word" | "quoted":
            name = token.strip('"')
            if name not in names:
                raise RuleRefused(
                    f"{token} is not an attribute here. Use one of {', '.join(sorted(names))}; "
                    "text goes in single quotes."
                )
            return name
        case "number" if _NUMBER.fullmatch(token) is None:
            raise RuleRefused(f"{token[:20]} has more than nine digits, or more than six decimals.")
    return token


def _check_levels(tokens: list[str]) -> None:
    levels = [_Level()]
    before = ""
    for token in tokens:
        level = levels[-1]
        match token:
            case "(":
                if len(levels) > MAXIMUM_DEPTH:
                    raise RuleRefused(f"Parentheses nest at most {MAXIMUM_DEPTH} deep.")
                levels.append(_Level(negated=before == "NOT"))
            case ")":
                levels.pop()
                if not levels:
                    raise RuleRefused("A closing parenthesis has no opening one.")
                if level.negated and level.joins:
                    raise RuleRefused(
                        "NOT before a combination is not read by our parser. Negate each part: "
                        "write NOT a AND NOT b for NOT (a OR b), and NOT a OR NOT b for "
                        "NOT (a AND b)."
                    )
            case "BETWEEN":
                level.open_betweens += 1
            case "AND" if level.open_betweens:
                level.open_betweens -= 1
            case "AND" | "OR":
                level.joins.add(token)
                if len(level.joins) > 1:
                    raise RuleRefused(
                        "AND and OR stand side by side. Put parentheses around one of them: "
                        "a OR (b AND c), or (a OR b) AND c."
                    )
        before = token
    if len(levels) > 1:
        raise RuleRefused("An opening parenthesis has no closing one.")


def _check_minus_signs(tokens: list[str]) -> None:
    """The parser computes ``-x`` while it reads, which only works on a number."""
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        stands_between = before[-1:].isalnum() or before[-1:] in {"_", ")", "'"}
        subtracts = stands_between and before not in _KEYWORDS
        if token == "-" and not subtracts and not after[:1].isdigit():
            raise RuleRefused("A minus sign stands before a number only; write 0 - members.")
