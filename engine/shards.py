"""What a run's shards are called, and where their plan and their receipts lie."""

from __future__ import annotations

from pathlib import Path


def name(variant: int, index: int) -> str:
    """A shard's name, such as v001-000017."""
    return f"v{variant:03d}-{index:06d}"


def numbers(shard: str) -> tuple[int, int]:
    """(variant, index) of a shard's name."""
    variant, _, index = shard.removeprefix("v").partition("-")
    return int(variant), int(index)


def receipt(run: Path, shard: str) -> Path:
    """Where a shard's receipt lies: one row for each plan row, accepted or not."""
    return run / "receipts" / f"{shard}.parquet"


def plan_path(run: Path, variant: int) -> Path:
    """Where the plan of a variant lies."""
    return run / f"plan-v{variant:03d}.parquet"
