"""What benchmarks/loop/README.md says in words of each experiment; `{slice|arm}` is filled in from its result."""

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
    "baseline": "E1: why what was never treated does so well",
    "e2": "E2: steel in too little light",
    "e3": "E3: a scarce class of steel",
    "e4": "E4: made scratches judged from outside",
    "e5": "E5: labels first",
    "e6": "E6: drift",
    "ideas": "What was tried where a bar is missed",
}

SAYS = {
    "e1": """\
Digits in recordings of traffic that nobody trains or tunes on: what 900 made clips beside 600 real ones give. At 5 dB
the engine's procedural noise brings {noise 5 dB|none} % to {noise 5 dB|engine} %, real noise from elsewhere
{noise 5 dB|oracle} %, and what everybody does to speech {noise 5 dB|generic} %. Clean speech stays where it was:
{clean|none → engine} points.""",
    "baseline": """\
A network of clean clips alone, on tune clips in recordings of traffic that do not report, at 5 dB. Each line changes
one choice of E1's and nothing else; the pilot's `none` had 30.4 %. Its code is not at hand, so that this says which
choices could have cost it so much, not which one did.""",
    "e2": """\
Held-out images through a declared simulation of a line camera that is short of light, whose numbers the engine never
sees: it measures under-exposed tune images, and the loop's own matching sets the ranges of steel/line_scan. That brings
{under-exposed|none} % to {under-exposed|engine} %; the simulation itself, on training images, {under-exposed|oracle} %,
and what everybody does to pictures {under-exposed|generic} %.""",
    "e3": """\
Each class in turn has 6 images left, the others up to 60; every arm but `none` adds 24. `engine` is what the loop's
trial on tune rows chooses, and the networks that report are others than those that it saw. Of the cut class `none` is
right {the cut class, over the splits|none} % of the time, `oversample` {the cut class, over the splits|oversample} %,
`engine` {the cut class, over the splits|engine} %, and with real images for the made ones
{the cut class, over the splits|real items back} %.""",
    "e4": """\
Networks that never saw a real image look for real scratches. AUC: how often a real scratch scores above an image of
another class; 50 is chance, and `real` is a network of real training images. Published as it is.""",
    "e5": """\
500 clips, 12 % with a wrong label: looking at what the gate doubts against twice as many clips that are as wrong.""",
    "e6": """\
600 clips in ten batches; from the fifth on four in ten are in noise that nobody trained on. Each batch is tested
against clean tune clips; at an alarm `find` names the drifted slice, speech/car_noise is matched to its SNRs, and the
network is trained once more: {batches 6 to 10|monitor only} % without, {batches 6 to 10|loop} % with,
{batches 6 to 10|oracle} % with real noise from elsewhere.""",
    "ideas": """\
On tune rows, so that no row that reports has chosen anything; gains are against the engine as it is. What lost is
here, too. Two seeds say little of a few points: the intervals are wide.""",
}
"""What comes first, in at most three sentences."""

ARMS = {
    "e1": """\
600 clips train (60 a digit, indices 5 to 39), with 900 made ones in every arm but `none`; steps grow with the data.
Indices 45 to 49 and 0 to 4 report, clean and in traffic. `generic`: gain, speed, shift. `general`: the recipe
speech/general as it comes, rooms and hiss of every colour among them. `white`: white noise at the engine's SNRs.
`engine`: speech/car_noise, procedural alone, with the ranges of a pilot on another set. `defaults`: the same with the
recipe's own ranges, which were widened until they covered recordings among which are those that report here; it is
shown, and no bar is judged by it. `oracle`: real recordings other than those that report, street and ambience, at the
same SNRs. In the second condition one speaker is never trained on and alone reports.""",
    "e2": """\
`benchmarks/loop/line_scan.py` has the simulation: exposure, fall of light along the line, gain, shot and amplifier
noise. The input is divided by each image's mean, as the data set itself is. `engine`: what the loop's matching makes of
the slice of dark images: brightness, slope, vignette and noise follow it; contrast does not, since darkness itself
flattens an image. `defaults`: the recipe as it comes. `oracle`: the simulation on training images.""",
    "e3": """\
Made items are at most four for each there is. `generic`: mirrored, turned, scaled, moved, light, noise. `geometry`: the
recipe geometric. `procedural`: the steel recipe nearest to the class, painted on calm training images of other classes.
`real items back`: as many of the images that were cut. Intervals are Student's over the seven classes' means.""",
    "e4": """\
`procedural`: steel/scratches as it comes. `as X-SDD`: with the settings that the recipe's own comment gives for X-SDD.
`residual donors`: real scratches of the training part, less their background, pasted on made strip. Each side's images
are drawn anew for the interval.""",
    "e5": """\
The gate's queue comes from out-of-fold probabilities. `looked at`: a person gives the clips of the queue their true
labels. `dropped`: those of which confident learning is sure are left out. `true labels`: every wrong label is mended.
`doubled`: 500 more clips, 12 % of them wrong as well. `oversample`: the 500 noisy ones twice.""",
    "e6": """\
Rows are places in the stream; the clips there differ from seed to seed.""",
}
"""What else the tables need."""

AFTER = {
    "e1": """\
The bar of +35 over `none` was set where a pilot's `none` was right 30.4 % of the time at 5 dB. Here it is right
{noise 5 dB|none} % of the time: +35 would be as if there were no noise ({clean|none} % clean), and real noise from
elsewhere wins {noise 5 dB|none → oracle}. The next chapter says what keeps `none` up. It was left as it is: a weaker
one would meet the bar and prove nothing. The way to the oracle is the figure that does not depend on it. Of the speaker
held out 100 clean clips report: a point there is one clip, and the interval holds either side of the bar.""",
    "baseline": """\
Each clip is normalised by itself: that decides. With one mean and one spread for all clips, as is usual, the noise
moves every feature, and {noise 5 dB|normalised over all clips, not each by itself} % are right, clean ones as before.
A window of a second, most of it padding, costs some of the rest ({noise 5 dB|a window of 1 s} %), and so do fewer
clips ({noise 5 dB|a third of the clips} %). Dither, the floor of 60 dB and how long it learns hardly matter. What the
SNR is measured by makes E1 harder, not easier: over the padded window `none` would have
{noise 5 dB|SNR over the padded window} %.""",
    "e2": """\
No class is shown to be down, and none is shown not to be: red iron went {red iron, under-exposed|none → engine} in the
dark and {red iron, as it is|none → engine} as it is. It and slag are what the untreated network calls most dark images,
so that a class that is seen in the dark takes some of theirs; with the simulation itself on training images red iron
went {red iron, under-exposed|none → oracle} and {red iron, as it is|none → oracle}.""",
    "e3": """\
Oversampling is not what a scarce class wants here: six images that are turned and bent teach far more than six that
come again. Nor is that for want of steps: in 60 epochs instead of 15, on tune rows of one split each of three classes,
`none` is right 9 % of the time, `oversample` 7 %, `generic` 37 % and `geometry` 42 %. A pilot with another network and
two classes cut at once had it the other way round (85 % for oversampling, 82 % for a recipe, 78 % for nothing), so that
a trial has to say it each time. `procedural` comes near for scratches and one kind of scale, and is worse than
oversampling for roll printing ({finishing roll printing, cut|procedural} % against
{finishing roll printing, cut|oversample} %): what is painted has to look like the class.""",
    "e4": """\
What gives the made ones away. As pictures: their strip more than their scratches. Its noise alone tells them from real
ones with an AUC of {noise alone|procedural}, its gradient with {gradient alone|procedural}; the table has every
measured attribute that does so with 70 at least, or 30 at most. As teachers: anything strong on calm strip is a
scratch. Against classes that are calm or oblong the networks do well (finishing roll printing
{AUC against finishing roll printing|as X-SDD}, iron sheet ash {AUC against iron sheet ash|as X-SDD}); patches of red
iron ({AUC against red iron|as X-SDD}) score above real scratches, and slag ({AUC against slag inclusion|as X-SDD}) as
high: no made image showed them as something else, and the network never learns what is none.""",
    "ideas": """\
E1: twice as many items are what helps ({noise 5 dB|engine → twice as many items}), and are a matter of the budget:
every arm of E1 has 900. Other SNRs, passing cars, horns and wavering noise change next to nothing, and half of the
items in rooms and hiss, or without noise, cost {noise 5 dB|engine → half of the items general} and
{noise 5 dB|engine → half of the items generic}. Nothing comes near +35, which the oracle does not reach either. E2:
mirroring helps in either light ({under-exposed|engine → mirrored as well} and {as it is|engine → mirrored as well}); it
has nothing to do with the dark. Following contrast as well blackens images
({under-exposed|engine → contrast as well}), and not following the fall of light and the noise leaves the recipe's own,
which are too strong for the dark ({under-exposed|engine → light, but no fall of it and no noise}); so the loop follows
the latter and not the former. Fewer items or some up to the light of training do not spare a class.""",
    "e6": """\
What was lost is not wholly back, with the oracle neither: at 0 to 10 dB some digits cannot be told apart. What
`find` names is the noise, by the SNR that it estimates; it was told nothing of either. The list of the streams, below,
has the alarms before the noise, too, which are false.""",
}
"""Why a bar is missed, and what else the figures say."""

PLOTTED = {
    "e1": "Percent right of each arm at 5 dB and clean, with the bars",
    "baseline": "Percent right at 5 dB of a network of clean clips under each change of the set-up",
    "e2": "Percent right of each arm on under-exposed images and on images as they are, with the bar",
    "e3": "The engine's choice against each arm on the cut class, in points, with the bars",
    "e4": "AUC of each arm's network on real scratches, with chance",
    "e5": "Percent right of each arm, with that of twice as many clips",
    "e6": "Percent right of each arm batch by batch, with the noise and the retraining",
    "ideas": "Gain of each idea over the engine as it is, in points",
}
"""What the plots show, for who does not see them."""
