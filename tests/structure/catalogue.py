"""Reads PostgreSQL's own catalogue and says where it breaks the discipline of keys."""

from collections.abc import Mapping
from typing import Any

from sanjeevani.foundation.sharding import LIBRARY_TABLES, TableKind

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
_UNIQUE_INDEXES = """
    SELECT tables.relname, indexes.relname,
        (SELECT attname FROM pg_attribute
         WHERE attrelid = tables.oid AND attnum = pg_index.indkey[0])
    FROM pg_index
    JOIN pg_class AS indexes ON indexes.oid = indexrelid
    JOIN pg_class AS tables ON tables.oid = indrelid
    WHERE indisunique AND tables.relnamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""
_FOREIGN_KEYS = """
    SELECT conname, tables.relname, targets.relname,
        (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]),
        (SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1])
    FROM pg_constraint
    JOIN pg_class AS tables ON tables.oid = conrelid
    JOIN pg_class AS targets ON targets.oid = confrelid
    WHERE contype = 'f' AND tables.relnamespace = 'public'::regnamespace
    ORDER BY 1
"""
_NULLABLE_STATES = """
    SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attname = 'state_id' AND NOT attnotnull AND relkind IN ('r', 'p')
        AND relnamespace = 'public'::regnamespace
"""
_TRIGGERS = """
    SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace
"""
_EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"


def faults_of(connection: Any, manifest: Mapping[str, TableKind]) -> list[str]:
    """Return every breach of the discipline, as lines for the reader of a failed test."""

    def rows(sql: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    tables = {name for (name,) in rows(_TABLES)}
    faults = [
        f"{name}: neither in the manifest nor a library's table"
        for name in sorted(tables)
        if name not in manifest and not LIBRARY_TABLES.match(name)
    ]
    faults += [f"{name}: in the manifest, but no such table" for name in set(manifest) - tables]
    for table, index, first in rows(_UNIQUE_INDEXES):
        if manifest.get(table) is TableKind.SHARDED and first != "state_id":
            faults.append(f"{table}: unique {index} starts with {first}")
    for name, table, target, column, target_column in rows(_FOREIGN_KEYS):
        kind, target_kind = manifest.get(table), manifest.get(target)
        if kind is None or target_kind is TableKind.REFERENCE:
            continue
        if kind is not TableKind.SHARDED or target_kind is not TableKind.SHARDED:
            faults.append(f"{table}: foreign key {name} from {kind} to {target_kind}")
        elif (column, target_column) != ("state_id", "state_id"):
            faults.append(f"{table}: foreign key {name} starts with {column}")
    faults += [
        f"{table}: state_id may be null"
        for (table,) in rows(_NULLABLE_STATES)
        if manifest.get(table) is TableKind.SHARDED
    ]
    faults += [
        f"{table}: trigger {trigger}" for table, trigger in rows(_TRIGGERS) if table in manifest
    ]
    faults += [f"extension {name}" for (name,) in rows(_EXTENSIONS)]
    return faults
