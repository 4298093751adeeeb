"""Checks on a rule's text before it is parsed.

pygeofilter 0.4.0 gives AND and OR the same precedence, left to right, where CQL2 lets AND bind
tighter, and it reads NOT before a single predicate only. A text on which the two would differ is
refused here. So is every word and sign that our rules have no use for, which keeps functions,
geometries and dates away from the parser.

CQL2 lets the argument of a function be a condition (21-065r2, annex B: ``argument`` may be a
``booleanExpression``) and has functions of arrays (section 7.9); the parser reads neither. So what
is asked of members, and of lists, is cut out of the text here, is a condition of its own, and a
name stands for it in what the parser reads.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.errors import Explained

MAXIMUM_CHARACTERS = 2_000
MAXIMUM_DEPTH = 16
MAXIMUM_TOKENS = 400
MAXIMUM_QUESTIONS = 10
"""Of members, in one rule: each is a look at every member."""
MAXIMUM_LISTED = 20

ANY_MEMBER, ALL_MEMBERS, COUNT_MEMBERS = "any_member", "all_members", "count_members"
OF_MEMBERS = (ANY_MEMBER, ALL_MEMBERS, COUNT_MEMBERS)
A_CONTAINS, A_OVERLAPS = "A_CONTAINS", "A_OVERLAPS"
OF_LISTS = (A_CONTAINS, A_OVERLAPS)

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
_TRUTHS = frozenset({"TRUE", "FALSE"})


class RuleRefused(Explained, ValueError):
    """A rule's text that is not taken, with what is wrong and what to write instead."""


@dataclass
class _Level:
    """What stands between one pair of parentheses."""

    negated: bool = False
    joins: set[str] = field(default_factory=set)
    open_betweens: int = 0


class Token(NamedTuple):
    """A word or a sign of a rule; of which of the kinds above."""

    kind: str
    text: str


@dataclass(frozen=True)
class Vocabulary:
    """What a text may name."""

    names: Collection[str]
    lists: Collection[str] = ()
    """Those of the names that stand for several texts."""
    members: "Vocabulary | None" = None
    """What a condition about members may name, where there may be one."""

    @property
    def truths(self) -> bool:
        """Whether anything here can be TRUE or FALSE."""
        return self.members is not None or bool(self.lists)


@dataclass(frozen=True)
class OfMembers:
    """A question about the members of a household."""

    function: str
    condition: "Prepared"

    @property
    def written(self) -> str:
        """As it stands in a rule."""
        return f"{self.function}({self.condition.written})"


@dataclass(frozen=True)
class OfList:
    """A question about what several texts there are."""

    function: str
    name: str
    texts: Sequence[str]

    @property
    def written(self) -> str:
        """As it stands in a rule."""
        listed = ", ".join(f"'{text}'" for text in self.texts)
        return f"{self.function}({self.name}, ({listed}))"


@dataclass(frozen=True)
class Prepared:
    """A text on one line that the parser reads as CQL2 means it, and what is asked in it apart."""

    text: str
    questions: "dict[str, OfMembers | OfList]"
    """By the name that stands for each in the text."""

    @property
    def written(self) -> str:
        """The text with the questions where they stood."""
        return " ".join(
            self.questions[word].written if word in self.questions else word
            for word in self.text.split(" ")
        )


def prepared(text: str, vocabulary: Vocabulary) -> Prepared:
    """The text, once it is certain that the parser reads it as CQL2 means it.

    Raises RuleRefused.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise RuleRefused(f"A rule has at most {MAXIMUM_CHARACTERS} characters; this has more.")
    tokens = _tokens(text)
    if not tokens:
        raise RuleRefused("The rule is empty: write a condition, or null for every household.")
    if len(tokens) > MAXIMUM_TOKENS:
        raise RuleRefused(f"A rule has at most {MAXIMUM_TOKENS} words and signs; this has more.")
    return _prepared(tokens, vocabulary)


def _prepared(tokens: Sequence[Token], vocabulary: Vocabulary) -> Prepared:
    rest, questions = _taken_apart(tokens, vocabulary)
    words = [_checked(token, vocabulary) for token in rest]
    _check_levels(words)
    _check_minus_signs(words)
    return Prepared(" ".join(words), questions)


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
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
            tokens.append(Token(str(match.lastgroup), match.group()))
    return tokens


def _taken_apart(
    tokens: Sequence[Token], vocabulary: Vocabulary
) -> tuple[list[Token], dict[str, OfMembers | OfList]]:
    """The text with a name for each question, and the questions."""
    rest: list[Token] = []
    questions: dict[str, OfMembers | OfList] = {}
    at = 0
    while at < len(tokens):
        function = _function_at(tokens, at, vocabulary)
        if function is None:
            rest.append(tokens[at])
            at += 1
            continue
        end = _closing(tokens, at + 1)
        inside = tokens[at + 2 : end]
        # No text of a person can hold such a name.
        name = f"{function}:{len(questions)}"
        if function in OF_LISTS:
            questions[name] = _of_list(function, inside, vocabulary)
        else:
            assert vocabulary.members is not None
            if not inside:
                raise RuleRefused(f"{function} asks nothing: write a condition in it.")
            questions[name] = OfMembers(function, _prepared(inside, vocabulary.members))
        rest.append(Token("question", name))
        at = end + 1
        compared = at < len(tokens) and tokens[at].text in ("=", "<>")
        if function != COUNT_MEMBERS and not compared:
            rest += [Token("sign", "="), Token("word", "TRUE")]
    if sum(isinstance(question, OfMembers) for question in questions.values()) > MAXIMUM_QUESTIONS:
        raise RuleRefused(f"A rule asks about members at most {MAXIMUM_QUESTIONS} times.")
    return rest, questions


def _function_at(tokens: Sequence[Token], at: int, vocabulary: Vocabulary) -> str | None:
    if tokens[at].kind != "word" or at + 1 == len(tokens) or tokens[at + 1].text != "(":
        return None
    word = tokens[at].text
    if vocabulary.members is not None and word in OF_MEMBERS:
        return word
    if vocabulary.lists and word.upper() in OF_LISTS:
        return word.upper()
    if word in OF_MEMBERS and vocabulary.lists:
        raise RuleRefused(f"{word} stands in a condition about members: ask it beside, not within.")
    return None


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """Where the parenthesis that opens there is closed."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += (tokens[at].text == "(") - (tokens[at].text == ")")
        if depth == 0:
            return at
    raise RuleRefused("An opening parenthesis has no closing one.")


def _of_list(function: str, inside: Sequence[Token], vocabulary: Vocabulary) -> OfList:
    """What is asked of a list: a name, then texts in parentheses."""
    begins = [token.text for token in inside[:3]]
    listed = inside[3:-1]
    texts, commas = listed[::2], listed[1::2]
    if (
        len(begins) < 3
        or begins[0].strip('"') not in vocabulary.lists
        or begins[1:] != [",", "("]
        or inside[-1].text != ")"
        or len(listed) % 2 == 0
        or any(token.kind != "text" for token in texts)
        or any(token.text != "," for token in commas)
    ):
        name = next(iter(vocabulary.lists))
        raise RuleRefused(f"Write {function}({name}, ('one', 'another')).")
    if len(texts) > MAXIMUM_LISTED:
        raise RuleRefused(f"{function} lists at most {MAXIMUM_LISTED} values.")
    return OfList(function, begins[0].strip('"'), [token.text[1:-1] for token in texts])


def _checked(token: Token, vocabulary: Vocabulary) -> str:
    match token.kind:
        case "word" if token.text.upper() in _KEYWORDS:
            return token.text.upper()
        case "word" if vocabulary.truths and token.text.upper() in _TRUTHS:
            return token.text.upper()
        case "word" | "quoted":
            name = token.text.strip('"')
            if name not in vocabulary.names:
                raise RuleRefused(
                    f"{token.text} is not an attribute here. Use one of "
                    f"{', '.join(sorted(vocabulary.names))}; text goes in single quotes."
                    + (
                        f" Members are asked about by {', '.join(OF_MEMBERS)}."
                        if vocabulary.members
                        else ""
                    )
                )
            return name
        case "number" if _NUMBER.fullmatch(token.text) is None:
            raise RuleRefused(
                f"{token.text[:20]} has more than nine digits, or more than six decimals."
            )
    return token.text


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
