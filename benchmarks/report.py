"""What every benchmark writes: figures, versions and the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("forgeyard", "py-rattler", "py-rattler-build", "sqlalchemy", "fastapi", "uvicorn")


def write_report(name: str, figures: dict[str, float], notes: dict[str, str]) -> Path:
    """Print the figures as a table and write them, units in their names, as JSON.

    Figures of parts that were not run this time stay as they were.
    """
    path = _RESULTS / f"{name}.json"
    if path.exists():
        before = json.loads(path.read_text())
        figures, notes = before["figures"] | figures, before["notes"] | notes
    width = max(len(key) for key in figures)
    for key, value in figures.items():
        print(f"{key:<{width}}  {value:>10.3f}  {notes.get(key, '')}")
    document = {
        "benchmark": name,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {key: round(value, 4) for key, value in figures.items()},
        "notes": notes,
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in _PACKAGES},
        "machine": {
            "system": platform.platform(),
            "cpus": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "load_before": round(os.getloadavg()[2], 2),
        },
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(round(share * (len(ordered) - 1)), len(ordered) - 1)]
