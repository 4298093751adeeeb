"""What a database holds in some schemas, told from PostgreSQL's catalogs: one text a thing.

PostgreSQL writes the texts itself (``pg_get_indexdef`` and its like), so two databases that hold
the same are told by the same words, however each was made. Left out is what no statement of ours
decides: who the owner is (unless it is a service's role) and the order of a table's columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, order=True)
class Thing:
    """What can differ: a table, an index, a grant. ``table`` is the one that it belongs to."""

    schema: str
    table: str
    kind: str
    name: str

    def __str__(self) -> str:
        within = f" of {self.table}" if self.table and self.kind not in ("table", "grant") else ""
        return f"{self.schema}: {self.kind} {self.name}{within}"


Description = dict[Thing, str]
"""Each thing with what it is, one fact a line."""


def describe(
    connection: Connection, schemas: Sequence[str], *, roles: Sequence[str]
) -> Description:
    """Everything in ``schemas``; ``roles`` are the services', which should own nothing."""
    # Names are then written with their schemas, whatever the server's settings.
    connection.execute(text("SET LOCAL search_path TO ''"))
    values = {"schemas": list(schemas), "roles": list(roles)}
    return {
        Thing(row.schema, row.relation or "", kind, row.name): _plain(row.facts)
        for kind, query in _QUERIES.items()
        for row in connection.execute(text(query), values)
    }


def describe_roles(connection: Connection, roles: Sequence[str]) -> Description:
    """What the services' roles may do beyond their grants. It should be nothing.

    Roles are the whole server's, and so are the same for every database of it.
    """
    return {
        Thing("server", "", "role", row.name): row.facts
        for row in connection.execute(text(_ROLE), {"roles": list(roles)})
    }


def _plain(facts: str) -> str:
    """The lines without indentation: it is the file's that a statement stood in."""
    return "\n".join(line.strip() for line in facts.splitlines() if line.strip())


def _owner(column: str) -> str:
    return (
        f"CASE WHEN pg_get_userbyid({column}) = ANY(:roles) "
        f"THEN 'owned by ' || pg_get_userbyid({column}) END"
    )


def _comment(object_id: str, catalog: str, part: str = "0") -> str:
    return (
        f"(SELECT 'comment: ' || description FROM pg_description WHERE objoid = {object_id} "
        f"AND classoid = '{catalog}'::regclass AND objsubid = {part})"
    )


def _granted(acl: str, *, owner: str, on: str, relation: str, source: str) -> str:
    """One row for each who is granted something, the owner aside."""
    return f"""
        SELECT schema.nspname AS schema, {relation} AS relation,
               'on ' || {on} || ' to '
                   || CASE granted.grantee WHEN 0 THEN 'PUBLIC'
                      ELSE pg_get_userbyid(granted.grantee) END AS name,
               string_agg(
                   DISTINCT granted.privilege_type
                       || CASE WHEN granted.is_grantable THEN ' with grant option' ELSE '' END,
                   ', '
               ) AS facts
        FROM {source}
        CROSS JOIN LATERAL aclexplode({acl}) AS granted
        WHERE schema.nspname = ANY(:schemas) AND granted.grantee <> {owner}
        GROUP BY 1, 2, 3
    """


_SCHEMA = f"""
    SELECT nspname AS schema, NULL AS relation, nspname AS name,
           concat_ws(E'\\n', 'schema', {_owner("nspowner")}, {_comment("oid", "pg_namespace")})
               AS facts
    FROM pg_namespace
    WHERE nspname = ANY(:schemas)
"""

# Identity sequences are told with their columns, indexes by themselves.
_RELATION = f"""
    SELECT schema.nspname AS schema, relation.relname AS relation, relation.relname AS name,
           concat_ws(
               E'\\n',
               CASE relation.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                   WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                   WHEN 'f' THEN 'foreign table' ELSE 'composite type' END,
               CASE relation.relpersistence WHEN 'u' THEN 'unlogged' END,
               'with ' || array_to_string(relation.reloptions, ', '),
               'access method ' || (SELECT amname FROM pg_am WHERE oid = relation.relam),
               CASE WHEN relation.relrowsecurity THEN 'row level security' END,
               CASE WHEN relation.relforcerowsecurity THEN 'forced on its owner' END,
               CASE WHEN relation.relkind IN ('r', 'p') AND relation.relreplident <> 'd'
                   THEN 'replica identity ' || relation.relreplident::text END,
               pg_get_partkeydef(relation.oid),
               pg_get_expr(relation.relpartbound, relation.oid),
               (SELECT 'inherits ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
                FROM pg_inherits WHERE inhrelid = relation.oid),
               CASE WHEN relation.relkind IN ('v', 'm') THEN pg_get_viewdef(relation.oid) END,
               {_owner("relation.relowner")},
               {_comment("relation.oid", "pg_class")}
           ) AS facts
    FROM pg_class AS relation
    JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
    WHERE schema.nspname = ANY(:schemas)
      AND relation.relkind NOT IN ('i', 'I', 't')
      AND NOT EXISTS (
          SELECT FROM pg_depend
          WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype = 'i'
            AND relation.relkind = 'S'
      )
"""

# PostgreSQL 18 keeps NOT NULL as a constraint too: it is told here, by what it does.
_COLUMN = f"""
    SELECT schema.nspname AS schema, relation.relname AS relation, attribute.attname AS name,
           concat_ws(
               E'\\n',
               concat_ws(
                   ' ',
                   format_type(attribute.atttypid, attribute.atttypmod),
                   (SELECT 'COLLATE ' || quote_ident(collname) FROM pg_collation
                    WHERE oid = attribute.attcollation AND oid <> type.typcollation),
                   CASE WHEN attribute.attnotnull THEN 'NOT NULL' END,
                   (SELECT 'not validated' FROM pg_constraint
                    WHERE conrelid = relation.oid AND contype = 'n'
                      AND conkey = ARRAY[attribute.attnum] AND NOT convalidated),
                   CASE attribute.attgenerated WHEN 's' THEN 'STORED' WHEN 'v' THEN 'VIRTUAL' END,
                   CASE WHEN attribute.attgenerated = '' THEN 'DEFAULT' ELSE 'GENERATED' END
                       || ' ' || pg_get_expr(initial.adbin, initial.adrelid),
                   CASE attribute.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                       WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
                   (SELECT format('(%s from %s by %s between %s and %s, cache %s, cycle %s)',
                                  seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax,
                                  seqcache, seqcycle)
                    FROM pg_sequence
                    WHERE attribute.attidentity <> ''
                      AND seqrelid = pg_get_serial_sequence(
                          relation.oid::regclass::text, attribute.attname)::regclass)
               ),
               CASE WHEN attribute.attstorage <> type.typstorage
                   THEN 'storage ' || attribute.attstorage::text END,
               'compression ' || nullif(attribute.attcompression::text, ''),
               'statistics target ' || attribute.attstattarget,
               'with ' || array_to_string(attribute.attoptions, ', '),
               {_comment("relation.oid", "pg_class", "attribute.attnum")}
           ) AS facts
    FROM pg_attribute AS attribute
    JOIN pg_class AS relation ON relation.oid = attribute.attrelid
    JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
    JOIN pg_type AS type ON type.oid = attribute.atttypid
    LEFT JOIN pg_attrdef AS initial
        ON initial.adrelid = relation.oid AND initial.adnum = attribute.attnum
    WHERE schema.nspname = ANY(:schemas) AND attribute.attnum > 0 AND NOT attribute.attisdropped
      AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
"""

# A foreign key whose own triggers are switched off refuses nothing.
_CONSTRAINT = f"""
    SELECT schema.nspname AS schema,
           coalesce(relation.relname, type.typname) AS relation,
           constraint_.conname AS name,
           concat_ws(
               E'\\n',
               pg_get_constraintdef(constraint_.oid),
               (SELECT 'its triggers are switched: ' || string_agg(DISTINCT tgenabled::text, ', ')
                FROM pg_trigger
                WHERE tgconstraint = constraint_.oid AND tgisinternal AND tgenabled <> 'O'),
               'with ' || array_to_string(index.reloptions, ', '),
               {_comment("constraint_.oid", "pg_constraint")}
           ) AS facts
    FROM pg_constraint AS constraint_
    JOIN pg_namespace AS schema ON schema.oid = constraint_.connamespace
    LEFT JOIN pg_class AS relation ON relation.oid = constraint_.conrelid
    LEFT JOIN pg_type AS type ON type.oid = constraint_.contypid
    LEFT JOIN pg_class AS index
        ON index.oid = constraint_.conindid AND constraint_.contype IN ('p', 'u', 'x')
    WHERE schema.nspname = ANY(:schemas) AND constraint_.contype NOT IN ('n', 't')
"""

# Those of unique constraints and primary keys are told as constraints.
_INDEX = f"""
    SELECT schema.nspname AS schema, relation.relname AS relation, index.relname AS name,
           concat_ws(
               E'\\n',
               pg_get_indexdef(index.oid),
               CASE WHEN NOT (entry.indisvalid AND entry.indisready) THEN 'not valid' END,
               {_comment("index.oid", "pg_class")}
           ) AS facts
    FROM pg_index AS entry
    JOIN pg_class AS index ON index.oid = entry.indexrelid
    JOIN pg_class AS relation ON relation.oid = entry.indrelid
    JOIN pg_namespace AS schema ON schema.oid = index.relnamespace
    WHERE schema.nspname = ANY(:schemas)
      AND NOT EXISTS (
          SELECT FROM pg_constraint
          WHERE conindid = entry.indexrelid AND contype IN ('p', 'u', 'x')
      )
"""

_TYPE = f"""
    SELECT schema.nspname AS schema, NULL AS relation, type.typname AS name,
           concat_ws(
               E'\\n',
               CASE type.typtype
                   WHEN 'e' THEN (
                       SELECT 'one of ' || string_agg(quote_literal(enumlabel), ', '
                                                      ORDER BY enumsortorder)
                       FROM pg_enum WHERE enumtypid = type.oid)
                   WHEN 'd' THEN concat_ws(
                       ' ', 'domain over', format_type(type.typbasetype, type.typtypmod),
                       CASE WHEN type.typnotnull THEN 'NOT NULL' END,
                       'DEFAULT ' || type.typdefault)
                   ELSE 'range'
               END,
               {_owner("type.typowner")},
               {_comment("type.oid", "pg_type")}
           ) AS facts
    FROM pg_type AS type
    JOIN pg_namespace AS schema ON schema.oid = type.typnamespace
    WHERE schema.nspname = ANY(:schemas) AND type.typtype IN ('e', 'd', 'r')
"""

_TRIGGER = f"""
    SELECT schema.nspname AS schema, relation.relname AS relation, trigger.tgname AS name,
           concat_ws(
               E'\\n',
               pg_get_triggerdef(trigger.oid),
               CASE trigger.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'
                   WHEN 'R' THEN 'enabled for replicas only' ELSE 'enabled always' END,
               {_comment("trigger.oid", "pg_trigger")}
           ) AS facts
    FROM pg_trigger AS trigger
    JOIN pg_class AS relation ON relation.oid = trigger.tgrelid
    JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
    WHERE schema.nspname = ANY(:schemas) AND NOT trigger.tgisinternal
"""

_RULE = """
    SELECT schema.nspname AS schema, relation.relname AS relation, rule.rulename AS name,
           concat_ws(
               E'\\n',
               pg_get_ruledef(rule.oid),
               'switched: ' || rule.ev_enabled::text
           ) AS facts
    FROM pg_rewrite AS rule
    JOIN pg_class AS relation ON relation.oid = rule.ev_class
    JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
    WHERE schema.nspname = ANY(:schemas) AND rule.rulename <> '_RETURN'
"""

_POLICY = """
    SELECT schemaname AS schema, tablename AS relation, policyname AS name,
           concat_ws(' ', permissive, 'FOR', cmd, 'TO', array_to_string(roles, ', '),
                     'USING ' || qual, 'WITH CHECK ' || with_check) AS facts
    FROM pg_policies
    WHERE schemaname = ANY(:schemas)
"""

_STATISTICS = """
    SELECT schema.nspname AS schema, relation.relname AS relation, statistics.stxname AS name,
           pg_get_statisticsobjdef(statistics.oid) AS facts
    FROM pg_statistic_ext AS statistics
    JOIN pg_class AS relation ON relation.oid = statistics.stxrelid
    JOIN pg_namespace AS schema ON schema.oid = statistics.stxnamespace
    WHERE schema.nspname = ANY(:schemas)
"""

_FUNCTION = f"""
    SELECT schema.nspname AS schema, NULL AS relation,
           format('%s(%s)', function.proname, pg_get_function_identity_arguments(function.oid))
               AS name,
           concat_ws(
               E'\\n',
               CASE function.prokind WHEN 'a' THEN 'aggregate'
                   ELSE pg_get_functiondef(function.oid) END,
               {_owner("function.proowner")},
               {_comment("function.oid", "pg_proc")}
           ) AS facts
    FROM pg_proc AS function
    JOIN pg_namespace AS schema ON schema.oid = function.pronamespace
    WHERE schema.nspname = ANY(:schemas)
"""

# An identity's sequence has a name that nobody chose: it is called by its column.
_GRANTS = (
    _granted(
        "coalesce(schema.nspacl, acldefault('n', schema.nspowner))",
        owner="schema.nspowner",
        on="'schema ' || schema.nspname",
        relation="NULL",
        source="pg_namespace AS schema",
    ),
    _granted(
        "coalesce(relation.relacl, acldefault("
        "CASE relation.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", relation.relowner))",
        owner="relation.relowner",
        on="coalesce('the identity of ' || whole.relname || '.' || attribute.attname, "
        "relation.relname)",
        relation="coalesce(whole.relname, relation.relname)",
        source="""
            pg_class AS relation
            JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
            LEFT JOIN pg_depend AS identity
                ON relation.relkind = 'S' AND identity.deptype = 'i'
               AND identity.classid = 'pg_class'::regclass AND identity.objid = relation.oid
               AND identity.refclassid = 'pg_class'::regclass
            LEFT JOIN pg_class AS whole ON whole.oid = identity.refobjid
            LEFT JOIN pg_attribute AS attribute
                ON attribute.attrelid = whole.oid AND attribute.attnum = identity.refobjsubid
        """,
    ),
    _granted(
        "attribute.attacl",
        owner="relation.relowner",
        on="'column ' || relation.relname || '.' || attribute.attname",
        relation="relation.relname",
        source="""
            pg_attribute AS attribute
            JOIN pg_class AS relation ON relation.oid = attribute.attrelid
            JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
        """,
    ),
    _granted(
        "coalesce(function.proacl, acldefault('f', function.proowner))",
        owner="function.proowner",
        on="format('function %s(%s)', function.proname, "
        "pg_get_function_identity_arguments(function.oid))",
        relation="NULL",
        source="""
            pg_proc AS function
            JOIN pg_namespace AS schema ON schema.oid = function.pronamespace
        """,
    ),
    _granted(
        "coalesce(type.typacl, acldefault('T', type.typowner))",
        owner="type.typowner",
        on="'type ' || type.typname",
        relation="NULL",
        source="""
            pg_type AS type
            JOIN pg_namespace AS schema
                ON schema.oid = type.typnamespace AND type.typtype IN ('e', 'd', 'r')
        """,
    ),
    _granted(
        "initial.defaclacl",
        owner="initial.defaclrole",
        on="CASE initial.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' "
        "WHEN 'f' THEN 'functions' ELSE 'types' END || ' yet to be made'",
        relation="NULL",
        source="""
            pg_default_acl AS initial
            JOIN pg_namespace AS schema ON schema.oid = initial.defaclnamespace
        """,
    ),
)

_QUERIES = {
    "schema": _SCHEMA,
    "table": _RELATION,
    "column": _COLUMN,
    "constraint": _CONSTRAINT,
    "index": _INDEX,
    "type": _TYPE,
    "trigger": _TRIGGER,
    "rule": _RULE,
    "policy": _POLICY,
    "statistics": _STATISTICS,
    "function": _FUNCTION,
    "grant": " UNION ALL ".join(_GRANTS),
}

_ROLE = """
    SELECT rolname AS name, beyond.facts
    FROM pg_roles,
    LATERAL concat_ws(
        E'\\n',
        CASE WHEN rolsuper THEN 'SUPERUSER' END,
        CASE WHEN rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN rolreplication THEN 'REPLICATION' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN has_database_privilege(rolname, current_database(), 'CREATE')
            THEN 'CREATE on the database' END,
        (SELECT 'member of ' || string_agg(pg_get_userbyid(roleid), ', ' ORDER BY roleid)
         FROM pg_auth_members WHERE member = pg_roles.oid)
    ) AS beyond (facts)
    WHERE rolname = ANY(:roles) AND beyond.facts <> ''
"""
