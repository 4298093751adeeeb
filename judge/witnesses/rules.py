"""Rules as PostgreSQL reads them: CQL2 text that is SQL as well, but for what it asks of members.

``any_member``, ``all_members`` and ``count_members`` are subqueries over ``person``, which is a
member of a household on the day that counts; what is asked of a list is asked of an array.
"""

import re

_QUESTION = re.compile(r"\b(any_member|all_members|count_members)\s*\(")
_LIST = re.compile(r"\b(A_CONTAINS|A_OVERLAPS)\s*\(\s*(\w+)\s*,\s*\(([^()]*)\)\s*\)", re.IGNORECASE)
_OPERATORS = {"A_CONTAINS": "@>", "A_OVERLAPS": "&&"}
# A household without a person is one of which only counts are known: nobody can say.
_ANSWERS = {
    "any_member": "CASE WHEN bool_or(holds) THEN true "
    "WHEN count(*) = 0 OR bool_or(holds IS NULL) THEN NULL ELSE false END",
    "all_members": "CASE WHEN NOT bool_and(holds) THEN false "
    "WHEN count(*) = 0 OR bool_or(holds IS NULL) THEN NULL ELSE true END",
    "count_members": "CASE WHEN count(*) > 0 AND NOT bool_or(holds IS NULL) "
    "THEN count(*) FILTER (WHERE holds) END",
}


def as_sql(rule: str) -> str:
    """A rule's condition over ``household`` and ``area``, where ``person`` can be asked."""
    answered = []
    while found := _QUESTION.search(rule):
        end = _closing(rule, found.end())
        answered.append(rule[: found.start()])
        answered.append(
            f"(SELECT {_ANSWERS[found[1]]} FROM (SELECT ({rule[found.end() : end]}) AS holds "
            "FROM person WHERE person.household_id = household.id) AS asked)"
        )
        rule = rule[end + 1 :]
    return _LIST.sub(_of_list, "".join([*answered, rule]))


def _of_list(found: re.Match[str]) -> str:
    return f"({found[2]} {_OPERATORS[found[1].upper()]} ARRAY[{found[3]}])"


def _closing(rule: str, begin: int) -> int:
    """Where the parenthesis is closed that was opened before ``begin``."""
    depth, quoted = 1, False
    for at in range(begin, len(rule)):
        quoted ^= rule[at] == "'"
        if not quoted:
            depth += (rule[at] == "(") - (rule[at] == ")")
        if depth == 0:
            return at
    raise ValueError("A rule that was posted has a parenthesis that is never closed.")
