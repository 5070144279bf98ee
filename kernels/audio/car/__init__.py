"""The parts of a car's noise, each beside its physics; `audio/cabin` adds them up.

road, wind, blower, rain: the shape of a noise. engine, window: tones that glide. hits, events: strikes at moments.
passing: another car's noise. hiss: how a shape becomes sound.
Levels are powers against the road's, which is one; a part that is off, or softer than −60 dB, is not made.
"""
