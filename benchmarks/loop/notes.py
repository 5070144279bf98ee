"""What benchmarks/loop/README.md says in words of each experiment; every number there comes from a result."""

from __future__ import annotations

HEAD = """\
# The loop on real data

Made by `python -m benchmarks.loop` from what the commands below measured; do not edit. Network, features and training
are fixed; the training data alone change from arm to arm. Accuracies are percent right, means over seeds. Gains are
paired, in points, with 95 % intervals over evaluation rows and seeds (`engine/loop/verify/paired.py`; rows of one clip,
or of neighbouring images, are drawn together; where one seed alone was run, nothing is known of another). Rows that
report are never looked at by what trains or tunes: `tests/engine/loop/test_experiments.py` reads the ids. `engine` is
what Sliceforge makes. A bar that is not met says so; every slice is in a table, those that lost, too.

`SLICEFORGE_DATA=DIR` names the folder of `fsdd`, `noise` and `x_sdd`; `jobs=N` uses N processes.
"""

TITLES = {
    "e1": "E1: speech under traffic",
    "e2": "E2: steel in too little light",
    "e3": "E3: a scarce class of steel",
    "e4": "E4: made scratches judged from outside",
    "e5": "E5: labels first",
    "e6": "E6: drift",
    "ideas": "What was tried where a bar is missed",
}

BEFORE = {
    "e1": """\
600 clips train (60 a digit, indices 5 to 39), with 900 made ones in every arm but `none`; steps grow with the data.
Indices 45 to 49 and 0 to 4 report, clean and in recordings of traffic that nobody trains or tunes on. `generic`: gain,
speed, shift. `general`: the recipe speech/general as it comes, rooms and hiss of every colour among them. `white`:
white noise at the engine's SNRs. `engine`: speech/car_noise, procedural alone, with the ranges of a pilot on another
set. `defaults`: the same with the recipe's own ranges, which were widened until they covered recordings among which
are those that report here; it is shown, and no bar is judged by it. `oracle`: real recordings other than those that
report, street and ambience, at the same SNRs. In the second condition one speaker is never trained on and alone
reports.""",
    "e2": """\
Held-out images as they are and through a declared simulation of an under-exposed line camera
(`benchmarks/loop/line_scan.py`: exposure, fall of light along the line, gain, shot and amplifier noise), whose numbers
the engine never sees. The input is divided by each image's mean, as the data set itself is. `engine`: steel/line_scan
with ranges that the loop's own matching takes from moments of under-exposed tune images: brightness as a whole, slope,
vignette, noise. `both moments`: contrast is matched as well, about mid-grey; images of it can be black. `defaults`:
the recipe as it comes. `oracle`: the simulation itself on training images.""",
    "e3": """\
Each class in turn has 6 images left, the others up to 60; every arm but `none` adds 24, at most four for each there
is. `generic`: mirrored, turned, scaled, moved, light, noise. `geometry`: the recipe geometric. `procedural`: the steel
recipe nearest to the class, painted on calm training images of other classes. `real items back`: as many of the images
that were cut. `engine`: what successive halving on tune rows chooses of nothing, oversample, generic, geometry and
procedural. Intervals are Student's over the seven classes' means.""",
    "e4": """\
No network here saw a real image, but for `real`. AUC: how often a real scratch scores above an image of another class;
50 is chance. Each side's images are drawn anew for the interval.""",
    "e5": """\
500 clips, 12 % with a wrong label, and the gate's queue from out-of-fold probabilities.""",
    "e6": """\
600 clips in ten batches; from the fifth on four in ten are in noise that nobody trained on. Each batch is tested
against clean tune clips; at an alarm `find` names the drifted slice, speech/car_noise is matched to its SNRs, and the
network is trained once more. Rows are places in the stream.""",
    "ideas": """\
On tune rows, so that no row that reports has chosen anything. Gains are against the engine as it is.""",
}

AFTER = {
    "e1": """\
Where +35 over `none` is missed: the network that learnt from clean clips alone is right far more often here than the
pilot's was (30.4 at 5 dB), since every window holds dither and every item is normalised, so that less is left to gain;
the oracle cannot reach the bar either (column none → oracle). The way to the oracle is the figure that does not depend
on that.""",
    "e2": """\
A class that is down: the network has one input for both lights, and what it gives to seven classes in the dark it takes
from the one that it said to dark images before. The oracle's figures say how much of that any made item would cost.""",
    "e6": """\
What was lost is not wholly back, with the oracle neither: at 0 to 10 dB some digits cannot be told apart. What
`find` names is the noise, by the SNR that it estimates; it was told nothing of either.""",
    "e4": """\
What gives the made ones away: they teach that anything strong on calm strip is a scratch. Against classes that are calm
or oblong the networks do well; patches of red iron and slag, which no made image showed as something else, score above
real scratches. Made background has no defects but the scratch, and so the network never learns what is none.""",
}
