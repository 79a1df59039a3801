"""Write the Python modules of every .proto under jprotos/, or check that they are up to date.

    python protos/genprotos.py           write
    python protos/genprotos.py --check   exit 1 and name what differs

The generated files are committed beside their .proto: a bare clone can be type-checked, an
installation needs no compiler, and a change of contract shows in review.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OUTPUTS = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def generate(destination: Path) -> None:
    """Run protoc over all .proto files; raise CalledProcessError when one does not compile."""
    plugins = Path(sys.executable).parent
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("jprotos/**/*.proto"))
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", "-I", "."),
            f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
            *(f"--{out}={destination}" for out in ("python_out", "grpc_python_out")),
            *(f"--{out}=quiet:{destination}" for out in ("mypy_out", "mypy_grpc_out")),
            *sources,
        ],
        check=True,
        cwd=ROOT,
    )


def generated(root: Path) -> dict[str, bytes]:
    """All generated files under `root`, by relative path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.glob("jprotos/**/*")
        if path.name.endswith(OUTPUTS)
    }


def drift() -> list[str]:
    """Relative paths of generated files that are missing, stale or orphaned."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh, committed = generated(Path(folder)), generated(ROOT)
    return sorted(
        name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name)
    )


def main() -> int:
    """Command line."""
    if sys.argv[1:] == ["--check"]:
        stale = drift()
        for name in stale:
            print(f"stale: protos/{name}; run protos/genprotos.py")
        return 1 if stale else 0
    for name in generated(ROOT):
        (ROOT / name).unlink()
    generate(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
