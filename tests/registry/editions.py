"""Editions of the gazetteer as the tests send them."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from shared.ids import new_id
from tests.registry.flow import CSV, Flow

LEVELS = {2: "province", 4: "district", 6: "commune", 8: "village"}

Names = dict[str, tuple[str, str]]
"""By code: what an area is called in English and in Khmer."""


def areas_csv(names: Names) -> str:
    """The table of areas."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["level", "code", "name_en", "name_km"])
    writer.writerows([LEVELS[len(code)], code, *both] for code, both in names.items())
    return text.getvalue()


def changes_csv(changes: Iterable[tuple[str, str, str]]) -> str:
    """The table of changes, of lines of from_code, to_code and kind."""
    return "".join(",".join(line) + "\n" for line in [("from_code", "to_code", "kind"), *changes])


async def living(flow: Flow) -> Names:
    """The areas in force, by what is in the database."""
    rows = await flow.owner.fetch(
        "SELECT code, name_en, name_km FROM registry.area "
        "WHERE ended_at IS NULL AND code <> 'KH' ORDER BY code"
    )
    return {row["code"]: (row["name_en"].strip(), row["name_km"].strip()) for row in rows}


async def sent_tables(flow: Flow, code: str, areas: str, changes: str) -> dict[str, Any]:
    """The answer to the last table of an edition, or to the first that is refused."""
    begun = await flow.client.post("/gazetteer/editions", json={"code": code}, headers=flow.key())
    assert begun.status_code == 201, begun.text
    said: dict[str, Any] = {}
    for table, content in (("areas", areas), ("changes", changes)):
        answer = await flow.client.put(
            f"/gazetteer/editions/{code}/{table}", content=content.encode(), headers=CSV
        )
        said = answer.json()
        if answer.status_code == 422:
            break
        assert answer.status_code == 200, answer.text
    return said


async def sent(
    flow: Flow, code: str, names: Names, changes: Iterable[tuple[str, str, str]]
) -> dict[str, Any]:
    """What is answered to an edition that is sent."""
    return await sent_tables(flow, code, areas_csv(names), changes_csv(changes))


async def put_in_force(
    flow: Flow, code: str, names: Names, changes: Iterable[tuple[str, str, str]]
) -> dict[str, Any]:
    """An edition, sent by one person and approved by another."""
    said = await sent(flow, code, names, changes)
    assert not said["faults"], said
    proposal = await flow.client.post(
        f"/gazetteer/editions/{code}/proposal",
        json={"reason": "Sub-decree."},
        headers={"Idempotency-Key": str(new_id())},
    )
    assert proposal.status_code == 202, proposal.text
    done: dict[str, Any] = await flow.approve(proposal.json())
    return done


def small_country() -> Names:
    """Two provinces, three districts, six communes and twelve villages."""
    names: Names = {}
    for district in ("0101", "0102", "0201"):
        names |= {district[:2]: (f"Province {district[:2]}", f"ខេត្ត {district[:2]}")}
        names[district] = (f"District {district}", f"ស្រុក {district}")
        for commune in ("01", "02"):
            names[district + commune] = (f"Commune {district}{commune}", f"ឃុំ {district}{commune}")
            for village in ("01", "02"):
                code = district + commune + village
                names[code] = (f"Village {code}", f"ភូមិ {code}")
    return dict(sorted(names.items(), key=lambda area: (len(area[0]), area[0])))


async def live_in_small_country(flow: Flow) -> Names:
    """Have the registry know a small country in place of the real one."""
    await flow.owner.execute("TRUNCATE registry.area CASCADE")
    names = small_country()
    await flow.owner.execute(
        "INSERT INTO registry.area (code, level, name_en, name_km) "
        "VALUES ('KH', 'country', 'Cambodia', 'កម្ពុជា')"
    )
    await flow.owner.executemany(
        "INSERT INTO registry.area (code, parent_code, level, name_en, name_km, residence) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (
                code,
                code[:-2] or "KH",
                LEVELS[len(code)],
                *both,
                "rural" if len(code) == len("010101") else None,
            )
            for code, both in names.items()
        ],
    )
    return names
