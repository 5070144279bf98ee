"""What can happen to an item: one operator per file, in a folder for each family."""

from sliceforge.engine.cache import install

install()
