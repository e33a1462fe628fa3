"""The table: each figure with its target."""

import os
import platform
from typing import Any

Figures = dict[str, Any]


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def table(figures: Figures) -> str:
    rows = [("what", "measured", "to reach"), *_page(figures["page"])]
    for name, least in (("list_60_ms", 5), ("list_0_ms", 3)):
        rows += _whole(name, figures[name], least)
    rows += [*_memory(figures["memory"]), *_rest(figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([figures["machine"], "", *lines])


def _page(page: Figures) -> list[tuple[str, str, str]]:
    ours, theirs, relay = page["sidecar"], page["extension"], page["relay"]
    rows = [
        (
            f"page of 100 customers, {name}",
            f"{one['rps']:.0f}/s, p50 {one['p50_ms']:.1f} ms, p99 {one['p99_ms']:.1f} ms",
            "",
        )
        for name, one in page.items()
    ]
    return [
        *rows,
        ("  sidecar / extension", f"{ours['rps'] / theirs['rps']:.1f} x", ">= 25 x"),
        ("  sidecar / relay", f"{ours['rps'] / relay['rps']:.2f} x", ">= 0.75 x"),
        ("  p99, sidecar / relay", f"{ours['p99_ms'] / relay['p99_ms']:.1f} x", "<= 2 x"),
    ]


def _whole(name: str, found: Figures, least: int) -> list[tuple[str, str, str]]:
    latency = name.split("_")[1]
    title = f"{found['sidecar']['objects']} payments, {latency} ms a page"
    rows = [
        (f"{title}, {who}", f"{one['total']:.2f} s, first byte {one['first'] * 1000:.0f} ms", "")
        for who, one in found.items()
    ]
    if latency == "60":
        first = found["sidecar"]["first"] * 1000
        rows.append(("  sidecar's first byte, in page times", f"{first / 60:.2f}", "<= 1.5"))
    faster = found["extension"]["total"] / found["sidecar"]["total"]
    return [*rows, ("  extension / sidecar", f"{faster:.1f} x", f">= {least} x")]


def _memory(memory: Figures) -> list[tuple[str, str, str]]:
    return [
        ("memory, idle", f"{memory['idle']:.0f} MiB", "< 70 MiB"),
        ("  grows in a list of 100,000 by", f"{memory['most'] - memory['before']:.0f} MiB", "< 32 MiB"),
        ("  afterwards, against before", f"{memory['after'] - memory['before']:+.0f} MiB", "back"),
        ("  that list takes", f"{memory['seconds']:.1f} s", ""),
    ]


def _rest(figures: Figures) -> list[tuple[str, str, str]]:
    gate, member = figures["gate"], figures["member"]
    return [
        ("gate, caller remembered", f"{gate['cpu_ms']:.3f} ms CPU", "< 0.15 ms"),
        (f"{gate['callers']} first callers of one token", f"{gate['asked']} question to Directus", "1"),
        *(
            (f"looking for secrets in a page of 100 {kind}", f"{figures['looking'][kind]:.2f} of parsing it", "<= 1 x")
            for kind in ("customers", "payments", "addresses")
        ),
        ("start to first answer", f"{figures['start']['seconds']:.2f} s", "< 1 s"),
        *(
            (
                f"page of 100 payments, {name.split('_')[0]}, {name.split('_')[1]} at once",
                f"{one['rps']:.0f}/s, p50 {one['p50_ms']:.1f} ms",
                "",
            )
            for name, one in member.items()
        ),
    ]
