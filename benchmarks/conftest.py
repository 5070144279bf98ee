"""What the JSON of `make bench` says of the machine: its parts and the versions, and not its name."""

from typing import Any

from sliceforge.engine.bench import machine
from sliceforge.engine.folder import host


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    kept = {name: machine_info[name] for name in ("cpu", "python_version", "system", "release")}
    machine_info.clear()
    found = host()
    machine_info.update(kept, machine=machine(), versions={"sliceforge": found["sliceforge"], **found["versions"]})
