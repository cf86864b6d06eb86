"""Runs scikit-learn's own tests of its perceptron against `multilayer.sklearn`, and says what differs and why.

    python reliability/sklearn_tests.py [--version 1.9.1]

The tests are those of the version that is installed, or of another one. They are fetched from PyPI with pip: the file
`sklearn/neural_network/tests/test_mlp.py` lies in the wheel as it does in the source distribution, of which pip would
first want to build the metadata, with a compiler. One line of it is changed, the import. The command fails where a test
fails that is not named here, or passes though it is.
"""

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import sklearn

FILE = "sklearn/neural_network/tests/test_mlp.py"
THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OURS = "from multilayer.sklearn import MLPClassifier, MLPRegressor"
# The fixture that scikit-learn's own `conftest.py` has; any seed will do, by its own words.
CONFTEST = "import pytest\n\n@pytest.fixture\ndef global_random_seed():\n    return 42\n"
DIFFERENCES = {
    "test_fit": "writes `coefs_` and private attributes into an estimator that was never fitted, and calls private "
    "methods on it. Here the weights belong to `model_`, which `fit` makes; that both libraries take the same steps is "
    "tested in tests/sklearn/test_equality.py.",
    "test_gradient": "calls the private `_loss_grad_lbfgs`. Gradients are those of the library's layers and losses, "
    "which tests/layers and tests/losses compare with differences; 'lbfgs' ends up at the same weights.",
}


def main() -> None:
    """Fetches the tests, runs them, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", default=sklearn.__version__, help="whose tests; by default what is installed")
    version = parser.parse_args().version
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = fetch(version, folder)
        if source.count(THEIRS) != 1:
            sys.exit(f"{FILE} of scikit-learn {version} does not import the estimators as it did: look at it.")
        (folder / "test_mlp.py").write_text(source.replace(THEIRS, OURS), encoding="utf-8")
        (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
        outcomes = run(folder)
    failed = {name: message for name, message in outcomes.items() if message is not None}
    print(f"scikit-learn {version}: {len(outcomes) - len(failed)} of {len(outcomes)} tests pass")
    for name, message in failed.items():
        print(f"- {name}: {DIFFERENCES.get(name.partition('[')[0], f'UNEXPLAINED: {message}')}")
    explained = {name.partition("[")[0] for name in failed}
    if explained != set(DIFFERENCES):
        sys.exit(f"what differs is {sorted(explained)}, and not {sorted(DIFFERENCES)}")


def fetch(version: str, folder: Path) -> str:
    """The file with the tests."""
    wanted = ["--only-binary", ":all:", "--no-deps", "--dest", str(folder), f"scikit-learn=={version}"]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *wanted], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(FILE).decode("utf-8")


def run(folder: Path) -> dict[str, str | None]:
    """What became of each test: None where it passes, and otherwise its error's first line."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", "test_mlp.py"]
    subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL)
    outcomes: dict[str, str | None] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        fault = next((one for one in case if one.tag in ("failure", "error")), None)
        outcomes[case.attrib["name"]] = None if fault is None else fault.attrib.get("message", "").split("\n")[0]
    return outcomes


if __name__ == "__main__":
    main()
