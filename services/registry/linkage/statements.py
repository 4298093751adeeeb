"""What is asked of DuckDB besides what splink asks."""

BEGIN = "CREATE TABLE persons AS SELECT * FROM block"
APPEND = "INSERT INTO persons SELECT * FROM block"

COUNT_NAMES = """
    CREATE TABLE name_counts AS
    SELECT names, count(*) / greatest(sum(count(*)) OVER (), ?) AS tf_names
    FROM persons WHERE names IS NOT NULL GROUP BY names
"""
"""How often names are: among no fewer persons than told."""


def dice(left: str, right: str) -> str:
    """How much of two lists is in both: Dice's coefficient, from 0 to 1."""
    return f"2.0 * len(list_intersect({left}, {right})) / (len({left}) + len({right}))"


def explained(found: str) -> str:
    """Pairs of the table ``found`` that splink made, with what speaks for each.

    Those of the same two households together, the likest first.
    """
    return f"""
        SELECT l.unique_id, r.unique_id, match_probability,
               coalesce(l.names = r.names OR {dice("l.grams", "r.grams")} >= 0.65, false),
               coalesce(l.born = r.born OR l.born_turned = r.born OR l.day = r.day, false),
               l.district = r.district
        FROM {found} AS found
        JOIN persons AS l ON l.unique_id = unique_id_l
        JOIN persons AS r ON r.unique_id = unique_id_r
        ORDER BY least(l.household, r.household), greatest(l.household, r.household),
            match_probability DESC, l.unique_id, r.unique_id
        """
