"""EXPLAIN (FORMAT JSON) of the simulated PostgreSQL: by index where a usable one begins with a column that is asked for."""

import re
from collections.abc import Mapping
from typing import Any

from console.practice.simulated.catalogue import Index

SMALL_ROWS = 50
"""A table of so few rows is read whole, whatever indexes there are: it is one page."""
_EXPLAIN = re.compile(r"^(?:\s|/\*.*?\*/)*EXPLAIN\s*(?:\(([^)]*)\))?\s*(.*)$", re.IGNORECASE | re.DOTALL)
_CONDITIONS = re.compile(r"\b(?:WHERE|ON)\b(.*?)(?=\bGROUP BY\b|\bORDER BY\b|\bLIMIT\b|\bUNION\b|$)", re.IGNORECASE | re.DOTALL)
_COMPARED = re.compile(
    r'(?:(\w+|"\w+")\.)?"?(\w+)"?\s*(?:=|>=?|<=?|\bIN\b|\bBETWEEN\b|\bIS\b)(?:\s*(?:(\w+|"\w+")\.)"?(\w+)"?)?', re.IGNORECASE
)
_SOURCE = re.compile(
    r'\b(?:FROM|JOIN|,)\s*(?:"?public"?\.)?("?\w+"?)(?:\s+(?:AS\s+)?(?!FROM\b|WHERE\b|ON\b|JOIN\b|LEFT\b|INNER\b|GROUP\b|ORDER\b|LIMIT\b|'
    r"CROSS\b|RIGHT\b|FULL\b|USING\b)(\w+))?",
    re.IGNORECASE,
)


def inner(sql: str) -> str | None:
    """The statement that an EXPLAIN is about; None for another statement."""
    found = _EXPLAIN.match(sql)
    return found[2] if found else None


def plan(sql: str, indexes: Mapping[str, Index], rows: Mapping[str, int]) -> list[dict[str, Any]]:
    """The plan in the shape of EXPLAIN (FORMAT JSON). `rows`: how many each table holds."""
    scans = [_scan(table, alias, sql, indexes, rows[table]) for table, alias in sources(sql) if table in rows]
    if not scans:
        return [{"Plan": {"Node Type": "Result", "Startup Cost": 0.0, "Total Cost": 0.01, "Plan Rows": 1, "Plan Width": 4}}]
    top = scans[0]
    for scan in scans[1:]:
        top = _node("Nested Loop", top["Total Cost"] + scan["Total Cost"], max(top["Plan Rows"], scan["Plan Rows"]), top, scan)
        top["Join Type"] = "Inner"
    if re.search(r"\bORDER BY\b", sql, re.IGNORECASE):
        top = _node("Sort", top["Total Cost"] * 1.1, top["Plan Rows"], top)
    if re.search(r"\bGROUP BY\b|\b(?:count|sum|avg|min|max)\s*\(", sql, re.IGNORECASE):
        top = _node("Aggregate", top["Total Cost"] + 0.02, 1, top)
    if re.search(r"\bLIMIT\b", sql, re.IGNORECASE):
        top = _node("Limit", top["Total Cost"], min(10, top["Plan Rows"]), top)
    return [{"Plan": top}]


def sources(sql: str) -> list[tuple[str, str]]:
    """Tables and the names that the statement gives them."""
    found = [(name.strip('"'), alias or name.strip('"')) for name, alias in _SOURCE.findall(sql)]
    return list(dict.fromkeys(found))


def _scan(table: str, alias: str, sql: str, indexes: Mapping[str, Index], rows: int) -> dict[str, Any]:
    asked = _columns(alias, sql)
    usable = [
        (name, index)
        for name, index in sorted(indexes.items())
        if index.table == table and index.valid and index.columns[0] in asked
    ]
    shared = {"Relation Name": table, "Schema": "public", "Alias": alias, "Plan Width": 36, "Startup Cost": 0.0}
    if not usable or rows < SMALL_ROWS:
        cost = round(rows / 80 + rows * 0.01 + (rows * 0.0025 if asked else 0), 2)
        scan = {
            "Node Type": "Seq Scan",
            **shared,
            "Total Cost": max(1.0, cost),
            "Plan Rows": max(1, rows // 200 if asked else rows),
        }
        return {**scan, "Filter": " AND ".join(f"({column} = ?)" for column in sorted(asked))} if asked else scan
    name, index = max(usable, key=lambda item: (sum(column in asked for column in item[1].columns), item[1].unique))
    whole = index.unique and all(column in asked for column in index.columns)
    found = 1 if whole else max(1, rows // 400)
    scan = {"Node Type": "Index Scan", "Index Name": name, "Scan Direction": "Forward", **shared, "Startup Cost": 0.28}
    condition = " AND ".join(f"({column} = ?)" for column in index.columns if column in asked)
    return {**scan, "Total Cost": round(8.3 + 0.02 * found, 2), "Plan Rows": found, "Index Cond": condition}


def _columns(alias: str, sql: str) -> set[str]:
    """The columns of a table that conditions compare; those without a table's name are anybody's."""
    found = set()
    for conditions in _CONDITIONS.findall(sql):
        for owner, column, other_owner, other in _COMPARED.findall(conditions):
            if owner.strip('"') in ("", alias):
                found.add(column)
            if other and other_owner.strip('"') == alias:
                found.add(other)
    return found


def _node(kind: str, cost: float, rows: int, *below: dict[str, Any]) -> dict[str, Any]:
    return {
        "Node Type": kind,
        "Startup Cost": 0.0,
        "Total Cost": round(cost, 2),
        "Plan Rows": rows,
        "Plan Width": 40,
        "Plans": list(below),
    }
