"""Rules of banks over a whole run: even use, shares, SNRs; kept by later variants and resumes, and told in a table."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from harness import tree

from sliceforge.engine import coverage, plan
from sliceforge.engine.audit import audit
from sliceforge.engine.banks import Shelf
from sliceforge.engine.cli import main
from sliceforge.engine.compose import compose, load_recipe
from sliceforge.engine.errors import SettingError
from sliceforge.engine.preview import begin

RECIPE = """
steps:
  mix: {op: audio/mix, source: bank, reference: rms, snr: [-5, 15], in_turn: true, bins: 4, quota: {street: 2, rain: 1}}
sets: {snr: mix.snr}
gates:
  snr: {step: mix}
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six noises with tags, of a second each."""
    folder = tmp_path_factory.mktemp("tagged")
    lines = ["id,path,tag"]
    for number, tag in enumerate(("street", "street", "street", "rain", "rain", "rain")):
        sound = np.random.default_rng(number).normal(0, 0.1, 8000)
        soundfile.write(folder / f"{tag}{number}.wav", sound, 8000)
        lines.append(f"{tag}{number},{tag}{number}.wav,{tag}")
    (folder / "bank.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "bank.csv"


def run(clips: Path, bank: Path, out: Path, *more: str) -> Path:
    (bank.parent / "mine.yaml").write_text(RECIPE)
    given = [f"recipe={bank.parent / 'mine.yaml'}", f"data={clips}", f"banks.noise={bank}", "workers=1", "shard=5"]
    assert main(["generate", *given, f"out={out}", *more]) == 0
    return out


def plans(out: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(out.glob("plan-v*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_the_rules_hold_over_the_run_and_over_later_variants(clips: Path, bank: Path, tmp_path: Path) -> None:
    out = run(clips, bank, tmp_path / "RUN")
    first = tree(out)
    run(clips, bank, tmp_path / "RUN", "variants=2")
    rows = plans(out)
    assert tree(run(clips, bank, tmp_path / "AGAIN", "variants=2")) == tree(out)
    assert {name: sha for name, sha in tree(out).items() if "v001" in name}.items() <= first.items()
    uses = Counter(row["mix.item"] for row in rows)
    tags = Counter(item.rstrip("012345") for item in uses.elements())
    assert abs(tags["street"] - 2 * tags["rain"]) <= 2
    for tag in tags:
        own = [count for item, count in uses.items() if item.startswith(tag)]
        assert max(own) - min(own) <= 1
    bins = np.clip((np.array([row["mix.snr"] for row in rows]) + 5) // 5, 0, 3)
    counts = np.bincount(bins.astype(int), minlength=4)
    assert counts.max() - counts.min() <= 1
    _told(out, rows, uses, tags)
    _, findings = audit({"run": str(out), "share": 0.2})
    assert not findings


def _told(out: Path, rows: list[dict[str, Any]], uses: Counter[str], tags: Counter[str]) -> None:
    table = pq.read_table(out / "coverage.parquet").to_pylist()
    by_part = {part: [row for row in table if row["part"] == part] for part in ("bank", "tag", "item", "snr")}
    (whole,) = by_part["bank"]
    assert (whole["items"], whole["used"], whole["uses"]) == (6, 6, len(rows))
    assert (whole["least"], whole["most"]) == (min(uses.values()), max(uses.values()))
    assert {row["name"]: row["uses"] for row in by_part["item"]} == uses
    assert {row["tag"]: row["uses"] for row in by_part["tag"]} == tags
    heard = 0.0
    for item in uses:
        covered = np.zeros(8000, bool)
        for row in rows:
            if row["mix.item"] == item:
                begin, seconds = row["mix.offset"] / row["read.rate"], row["read.length"] / row["read.rate"]
                covered[round(8000 * begin) : round(8000 * (begin + seconds))] = True
        heard += covered.mean() / 6
    assert whole["heard"] == pytest.approx(heard, abs=0.001)
    assert [(row["low"], row["high"]) for row in by_part["snr"]] == [(-5, 0), (0, 5), (5, 10), (10, 15)]
    assert sum(row["count"] for row in by_part["snr"]) == len(rows)
    assert coverage.lines(out)[0].startswith("banks.noise: 6 of 6 items used by mix, ")


def test_a_run_without_voices_takes_its_own_speakers_and_a_held_out_one_never() -> None:
    shop, parents = begin(compose("preview", ["recipe=speech/car_babble"]))
    inventories = shop.banks.inventories()
    assert "test" in inventories["voices"].splits
    rows = [row for seed in range(20) for row in plan.draw(shop.recipe, parents, seed, 1, inventories).to_pylist()]
    speakers = {item.rpartition("_")[2] for row in rows for k in (1, 2, 3) if (item := row[f"babble.item_{k}"])}
    assert speakers == {"ines", "mara", "theo"}
    for row in rows:
        assert not any((row[f"babble.item_{k}"] or "").endswith(row["speaker"]) for k in (1, 2, 3))


def test_a_folder_of_voices_says_whose_they_are_by_a_pattern(clips: Path) -> None:
    known = Shelf.open({"voices": f"{clips}/{{label}}_{{speaker}}_{{index}}"}).inventories()["voices"]
    assert set(known.groups) == {"ann", "bob"}
    assert all(group in item for group, item in zip(known.groups, known.ids, strict=True))


def test_rules_can_be_given_on_the_command_line() -> None:
    recipe = load_recipe("speech/car_noise", "steps.mix.quota={street: 2, rain: 2}", "steps.mix.cap=3")
    op: Any = recipe.step("mix").op
    assert (op.quota.tags, op.quota.weights, op.cap, recipe.by_slot()) == (("rain", "street"), (0.5, 0.5), 3, True)
    with pytest.raises(SettingError, match=r"^steps\.mix\.bins: expected a range of SNRs"):
        load_recipe("speech/car_noise", "steps.mix.bins=3", "steps.mix.snr=5")


def test_a_bank_that_no_step_takes_from_is_told_of() -> None:
    recipe = load_recipe("speech/car_noise")
    assert coverage.unasked(recipe, {"noise": "noises", "other": None}) == []
    assert coverage.unasked(recipe, {"noises": "noises"}) == [
        "banks.noises: no step of this recipe takes from it; did you mean noise?"
    ]
