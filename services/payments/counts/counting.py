"""How counts follow from instructions: the rule that the database keeps whoever writes to them."""

from services.payments.instructions.tables import Instruction
from shared.schema.declaration import comes_with

# Statement-level, and rows are only added: no two transactions wait for one count. What a
# statement leaves as it was cancels out.
COUNT_INSTRUCTIONS = """
CREATE FUNCTION payments.count_instructions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO count_change (chunk_number, district_code, provider_number, status, withheld,
            count, amount_minor)
        SELECT chunk_number, coalesce(left(area_code, 4), ''), provider_number, status, withheld,
            count(*), sum(amount_minor)
        FROM after
        GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO count_change (chunk_number, district_code, provider_number, status, withheld,
            count, amount_minor)
        SELECT chunk_number, coalesce(left(area_code, 4), ''), provider_number, status, withheld,
            sum(sign), sum(sign * amount_minor)
        FROM (
            SELECT chunk_number, area_code, provider_number, status, withheld, amount_minor,
                -1 AS sign
            FROM before
            UNION ALL
            SELECT chunk_number, area_code, provider_number, status, withheld, amount_minor, 1
            FROM after
        ) AS version
        GROUP BY 1, 2, 3, 4, 5
        HAVING sum(sign) <> 0 OR sum(sign * amount_minor) <> 0;
    END IF;
    RETURN NULL;
END
$$
"""

INSTRUCTION_IS_COUNTED = """
CREATE TRIGGER instruction_is_counted AFTER INSERT ON payments.instruction
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION payments.count_instructions()
"""

INSTRUCTION_IS_COUNTED_ANEW = """
CREATE TRIGGER instruction_is_counted_anew AFTER UPDATE ON payments.instruction
REFERENCING OLD TABLE AS before NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION payments.count_instructions()
"""

comes_with(
    Instruction.__table__, COUNT_INSTRUCTIONS, INSTRUCTION_IS_COUNTED, INSTRUCTION_IS_COUNTED_ANEW
)
