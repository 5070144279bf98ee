"""Shell completion: what is offered, quickly, and a real bash that takes it."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sliceforge.engine.cli import main
from sliceforge.engine.completion import SCRIPTS, complete
from sliceforge.engine.compose import VERBS, compose
from sliceforge.engine.library import Library
from sliceforge.engine.settings import CHOICES

START = "sliceforge generate "
STEEL = f"{START}recipe=steel/scratches "


def test_verbs_come_first() -> None:
    assert complete("sliceforge ") == list(VERBS)
    assert complete("sliceforge gen") == ["generate"]
    assert complete("path/to/sliceforge gen") == ["generate"]
    assert "--completion" in complete("sliceforge --c")
    assert complete("sliceforge --completion ") == list(SCRIPTS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_setting_of_a_verb_is_offered_and_can_be_given(verb: str) -> None:
    offered = complete(f"sliceforge {verb} ")
    for key in compose(verb, []):
        if key not in ("name", "about", "kind"):
            assert any(word in offered for word in (f"{key}=", f"{key}."))
    assert ("recipe=" in offered) == (verb in ("generate", "preview", "bench", "show", "list"))
    assert all(word.endswith(("=", ".")) for word in offered)


def test_a_name_is_completed_to_its_next_dot() -> None:
    assert complete(f"{STEEL}st") == ["steps."]
    assert complete(f"{STEEL}steps.") == ["steps.scratch.", "steps.second.", "steps.third."]
    assert complete(f"{STEEL}steps.second.am") == ["steps.second.amplitude="]
    assert complete(f"{STEEL}steps.second.p") == ["steps.second.p="]
    assert complete(f"{STEEL}gates.visible.c") == ["gates.visible.cnr="]
    assert complete(f"{START}banks.n") == ["banks.noise="]
    assert complete(f"{START}sink") == ["sink=", "sink."]


def test_what_is_given_already_is_not_offered_again() -> None:
    assert "seed=" in complete(START)
    assert "seed=" not in complete(f"{START}seed=7 ")


def test_values_are_offered_where_they_are_known() -> None:
    assert complete(f"{START}recipe=steel/sc") == ["recipe=steel/scratches"]
    assert complete(f"{START}device=") == ["device=auto", "device=cpu", "device=cuda"]
    assert complete(f"{START}sink=") == [f"sink={name}" for name in sorted(CHOICES["sink.kind"])]
    assert complete(f"{START}sink.image=j") == ["sink.image=jpeg"]
    assert complete(f"{START}allow_other_cpu=t") == ["allow_other_cpu=true"]


@pytest.mark.parametrize("key", ["data", "out", "banks.noise", "parents", "seed", "nonsense", "steps.mix.snr"])
def test_paths_texts_and_numbers_are_left_to_the_shell(key: str) -> None:
    assert complete(f"{START}{key}=") == []


def test_quotations_are_read_as_the_shell_reads_them() -> None:
    assert complete(f"{START}parents=\"speaker = 'theo'\" see") == ["seed="]
    assert complete(f'{START}parents="see') == []
    assert complete(f"{START}data=a\\ see") == []


def test_steps_can_be_added_and_dropped() -> None:
    assert complete(f"{STEEL}~steps.s") == ["~steps.scratch", "~steps.second"]
    assert complete(f"{START}+op/") == ["+op/audio@steps.", "+op/image@steps."]
    assert complete(f"{STEEL}+op/image@steps.turn=aff") == ["+op/image@steps.turn=affine"]
    assert complete(f"{STEEL}+op/image@steps.turn=affine steps.turn.rot") == ["steps.turn.rotate="]


def test_a_sweep_is_completed_after_its_comma() -> None:
    assert complete(f"{START}-m recipe=steel/scratches,speech/car_no") == ["recipe=steel/scratches,speech/car_noise"]
    assert complete(f"{START}-m recipe=steel/scratches,speech/car_noise steps.sec") == ["steps.second."]
    assert complete(f"{START}recipe=steel/scratches,sp") == []


def test_own_recipes_and_branches_are_offered(tmp_path: Path) -> None:
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "mine.yaml").write_text(
        "kind: image\nsteps: {either: {one_of: {a: {op: image/affine}, b: {op: image/affine}}}}\n"
    )
    for option in (f"--config-dir {tmp_path}", f"--config-dir={tmp_path}"):
        assert complete(f"{START}{option} recipe=mi") == ["recipe=mine"]
        line = f"{START}{option} recipe=mine steps.either.one_of.a.ro"
        assert complete(line) == ["steps.either.one_of.a.rotate="]
    assert complete(f"{START}--config-dir {tmp_path}/none recipe=") == []
    assert complete(f"{START}--config-dir ") == []


@pytest.mark.parametrize(
    "line", ["", "sliceforge", "sliceforge nonsense ", f"{START}'", f"{START}recipe=x y=${{z}} a\\"]
)
def test_a_line_that_is_wrong_is_no_error(line: str) -> None:
    assert isinstance(complete(line), list)


def test_a_wrong_recipe_does_not_hide_the_rest() -> None:
    assert complete(f"{START}recipe=nonsense see") == ["seed="]


def test_the_command_prints_candidates_up_to_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--complete", "sliceforge gen seed=7", "14"]) == 0
    assert capsys.readouterr().out == "generate\n"
    assert main(["--complete", "sliceforge zzz"]) == 0
    assert capsys.readouterr().out == ""


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--completion", "bsh"]) == 2
    assert "did you mean bash" in capsys.readouterr().err
    assert main(["--completion"]) == 2


def test_completion_imports_nothing_heavy() -> None:
    program = (
        "import sys; from sliceforge.engine.cli import main\n"
        f"main(['--complete', {STEEL + 'steps.second.'!r}])\n"
        "assert not {'torch', 'numba', 'numpy', 'pyarrow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "steps.second.amplitude=" in done.stdout.split()


def in_bash(tmp_path: Path, line: str, point: int | None = None, breaks: str = "") -> list[str]:
    """What a real bash has in COMPREPLY for a line."""
    command = tmp_path / "sliceforge"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sliceforge.engine.cli "$@"\n')
    command.chmod(0o755)
    program = f"""
        PATH={shlex.quote(str(tmp_path))}:$PATH
        source <(sliceforge --completion bash)
        {breaks}
        [[ $(complete -p sliceforge) == *"-F _sliceforge sliceforge" ]] || exit 9
        COMP_LINE={shlex.quote(line)} COMP_POINT={len(line) if point is None else point}
        _sliceforge sliceforge "" ""
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_replaces_only_what_follows_its_last_break(tmp_path: Path) -> None:
    assert in_bash(tmp_path, "sliceforge gen") == ["generate"]
    assert in_bash(tmp_path, f"{START}recipe=") == Library().names("recipe")
    assert in_bash(tmp_path, f"{START}recipe=steel/sc") == ["steel/scratches"]
    assert in_bash(tmp_path, f"{STEEL}steps.second.am") == ["steps.second.amplitude="]
    assert in_bash(tmp_path, f"{START}+op/image@steps.x=scr") == ["scratch"]
    assert in_bash(tmp_path, f"{START}data=x") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_at_the_cursor_and_where_equals_is_no_break(tmp_path: Path) -> None:
    assert in_bash(tmp_path, f"{START}dev seed=7", len(START) + 3) == ["device="]
    whole = in_bash(tmp_path, f"{START}recipe=steel/sc", breaks='COMP_WORDBREAKS=" "')
    assert whole == ["recipe=steel/scratches"]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_script_is_well_formed_for_its_shell(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    done = subprocess.run([shell, "-n"], input=SCRIPTS[shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
