"""Why a slice is weak: wrong labels, a nuisance that training does not have, too few examples, or none of these."""
