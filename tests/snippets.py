"""The programs of docs/integrations.md, each run where its own library is tested."""

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[1] / "docs/integrations.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def run(library: str) -> int:
    """Run the programs that import a library, in the folder that is the current one; how many there are."""
    own = [block for block in BLOCKS if re.search(rf"^(from|import) {library}\b", block, re.MULTILINE)]
    for block in own:
        exec(compile(block, f"docs/integrations.md: {library}", "exec"), {"__name__": "snippet"})
    return len(own)
