"""The loop: find weak slices, say why they are weak, decide what each needs, and prove that it helped."""
