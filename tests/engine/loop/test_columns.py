"""Which columns a slice may be a condition on."""

import pyarrow as pa

from sliceforge.engine.loop.rows.columns import searchable


def test_a_class_may_have_a_name_of_many_words_and_free_text_groups_nothing() -> None:
    classes = ["oxide scale of plate system", "oxide scale of temperature system", "red iron"]
    notes = [f"the strip of coil {k % 5} came late" for k in range(12)]
    table = pa.table({"label": classes * 4, "note": notes, "line": ["a", "b", "a"] * 4})
    assert searchable(table) == ["label", "line"]
