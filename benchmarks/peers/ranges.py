"""What the image chains draw from, the same for every library."""

TURN, SHEAR = (-10, 10), (-5, 5)  # degrees
SCALE, SHIFT = (0.8, 1.25), 0.1  # factor; share of each side, to both sides
BRIGHT, CONTRAST, GAMMA = (0.8, 1.2), (0.8, 1.25), (0.7, 1.4)  # factors, exponent
GRAIN = (1, 8)  # standard deviation, grey levels
SIGMA = (0.4, 2.0)  # pixels
QUALITY = (30, 95)
SPACING, AMOUNT = (0.15, 0.3), (0.08, 0.24)  # of the shorter side; of the spacing
