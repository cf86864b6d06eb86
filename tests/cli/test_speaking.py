"""The command line in Korean: help, results and refusals, and tables whose wide letters leave them whole."""

import os
import subprocess
import sys

import pytest
from rich.cells import cell_len


def answer(*arguments, width=80, **environment):
    """What the command line says, on a terminal so many cells wide."""
    environment = {
        **os.environ,
        "MULTILAYER_LANG": "ko",
        "COLUMNS": str(width),
        "TERMINAL_WIDTH": str(width),
        **environment,
    }
    command = [sys.executable, "-m", "multilayer", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=300)


@pytest.mark.parametrize("width", [80, 120])
def test_help_is_korean_and_no_letter_of_it_is_lost(width):
    for arguments in ((), ("train",), ("predict",)):
        said = answer(*arguments, "--help", width=width).stdout
        assert "옵션" in said
        assert "…" not in said  # what rich cuts off where it takes a wide letter for a narrow one
        boxes = [line for line in said.splitlines() if line.startswith(("│", "╭", "╰"))]
        assert {cell_len(line) for line in boxes} == {width}


def test_a_mistake_on_the_command_line_is_explained_in_korean():
    ended = answer("train", "--activation", "reluu")
    assert ended.returncode == 2
    assert "혹시 'relu'입니까?" in ended.stderr
    ended = answer("evaluate", "nowhere.npz")
    assert (ended.returncode, ended.stderr) == (1, "오류: 찾을 수 없는 모델 파일: 'nowhere.npz'.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "--epochs", "0"), "'--epochs'의 값이 잘못되었습니다: 1 이상이어야 합니다"),
        (("train", "--epochs", "many"), "정수여야 합니다"),
        (("train", "--epoch", "3"), "없는 옵션입니다: --epoch (비슷한 옵션: --epochs)"),
        (("evaluate",), "인자가 없습니다: 'MODEL'."),
        (("trian",), "'trian' 명령은 없습니다. 혹시 'train'입니까?"),
    ],
)
def test_what_typer_says_of_a_mistake_is_korean(arguments, said):
    ended = answer(*arguments, width=120)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "사용법: multilayer" in ended.stderr
    assert not {"Usage", "Invalid", "Missing", "Input", "mean"} & set(ended.stderr.split())


def test_the_locale_decides_where_nothing_else_is_said():
    korean = {"MULTILAYER_LANG": "", "LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko_KR.UTF-8"}
    assert "신경망" in answer("--help", **korean).stdout
    assert "신경망" not in answer("--help", **{**korean, "LANG": "C.UTF-8"}).stdout


def test_what_programs_read_is_not_translated(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{i},{2 * i}\n" for i in range(40)), encoding="utf-8")
    run = ("train", str(table), "--target", "y", "--members", "1", "--json")
    korean, english = (
        answer(*run, "--output", str(tmp_path / one), MULTILAYER_LANG=one, MULTILAYER_ADVICE="0")
        for one in ("ko", "en")
    )
    assert "데이터" in korean.stderr
    for key in ('"task": "regression"', '"kind": "number"', '"rmse"'):
        assert key in korean.stdout
        assert key in english.stdout
