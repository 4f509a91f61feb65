"""Generates the Python code of the contract: proto/lianmeng/v1 → services/lianmeng/v1.

`make proto` runs it; tests/architecture/test_contract.py fails where the two have drifted apart.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "proto"
TARGET = ROOT / "services"
PACKAGE = Path("lianmeng/v1")
GENERATED = ("__init__.py", "*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
INIT = """\
\"\"\"The public contract, generated from proto/lianmeng/v1 by `make proto`. Never edited.\"\"\"
"""


def generated_files(target: Path) -> list[Path]:
    """The generated files under `target`, as paths relative to it, sorted."""
    found = (path for pattern in GENERATED for path in (target / PACKAGE).glob(pattern))
    return sorted({path.relative_to(target) for path in found})


def generate(source: Path, target: Path) -> None:
    """Writes the package of messages, stubs and their types for `source` below `target`.

    Raises `subprocess.CalledProcessError` with protoc's words on its standard error.
    """
    tools = Path(sys.executable).parent
    protos = sorted(str(path) for path in (source / PACKAGE).glob("*.proto"))
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"--proto_path={source}",
        f"--plugin=protoc-gen-mypy={tools / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={tools / 'protoc-gen-mypy_grpc'}",
        *(f"--{kind}_out={target}" for kind in ("python", "grpc_python")),
        *(f"--{kind}_out=quiet:{target}" for kind in ("mypy", "mypy_grpc")),
        *protos,
    ]
    subprocess.run(command, check=True)  # noqa: S603  # our own command, no input of anybody's
    (target / PACKAGE / "__init__.py").write_text(INIT, encoding="utf-8")


def main() -> None:
    """Replaces what is generated; code of a proto that is gone goes too."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(SOURCE, fresh)
        files = generated_files(fresh)
        for gone in set(generated_files(TARGET)) - set(files):
            (TARGET / gone).unlink()
        for path in files:
            shutil.copyfile(fresh / path, TARGET / path)
    sys.stdout.write(f"{len(files)} files of {PACKAGE} in services/\n")


if __name__ == "__main__":
    main()
