"""The library speaks Korean where it is asked to: what decides that, and the catalogue of its texts."""

import gettext
import re
import subprocess
import sys
import warnings

import pytest

import multilayer as ml
from helpers import catalogue
from multilayer import _language, layers
from multilayer._language import language, later, tr

PARTICLES = "은는이가을를과와"  # which of two it is, the letter before them decides


@pytest.fixture
def speaking(monkeypatch):
    """Has the environment say one thing about languages, and nothing else."""

    def set_to(**variables):
        for name in ("MULTILAYER_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_to


# --- What decides ---


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),  # as gettext has it: the first that is set decides
        ({"LANG": "C.UTF-8", "LC_MESSAGES": "ko"}, "ko"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:ko:en"}, "ko"),  # the first that is spoken here
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "MULTILAYER_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "MULTILAYER_LANG": "ko"}, "ko"),
        ({"MULTILAYER_LANG": "ko-KR"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "MULTILAYER_LANG": ""}, "ko"),
    ],
)
def test_the_users_choice_decides_and_then_the_locale(speaking, variables, spoken):
    speaking(**variables)
    assert language() == spoken


def test_a_language_that_it_does_not_speak_is_said_once_and_is_english(speaking):
    speaking(MULTILAYER_LANG="tlh", LANG="ko_KR.UTF-8")
    with pytest.warns(UserWarning, match="MULTILAYER_LANG=tlh is no language of this library: expected en or ko"):
        assert language() == "en"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert language() == "en"


def test_on_windows_the_users_locale_decides_where_the_environment_says_nothing(speaking, monkeypatch):
    speaking()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("locale.setlocale", lambda category: "Korean_Korea.949")
    assert language() == "ko"
    monkeypatch.setattr("locale.setlocale", lambda category: "English_United States.1252")
    assert language() == "en"


# --- What is said ---


def test_an_error_is_of_the_same_kind_and_says_in_korean_what_it_says_in_english(speaking):
    speaking(MULTILAYER_LANG="en")
    with pytest.raises(ValueError, match="Unknown loss: 'mse2'. Did you mean 'mse'"):
        ml.losses.get("mse2")
    speaking(MULTILAYER_LANG="ko")
    with pytest.raises(ValueError, match="알 수 없는 손실 이름입니다: 'mse2'. 혹시 'mse'입니까"):
        ml.losses.get("mse2")


def test_a_learners_mistakes_are_explained_in_korean(speaking):
    speaking(MULTILAYER_LANG="ko")
    model = ml.Sequential([layers.Input((4,)), layers.Dense(3, "softmax")])
    with pytest.raises(ValueError, match=r"`fit\(\)` 메서드를 호출하기 전에 `compile\(\)`을 호출해야 합니다"):
        model.fit([[0, 0, 0, 0]], [0])
    model.compile("sgd", "sparse_categorical_crossentropy")
    for x, y, said in (
        ([[0, 0, 0]], [0], "맞지 않습니다"),
        ([[0, 0, 0, 0]], [5], r"레이블 값이 올바른 범위 \[0, 3\)에 있지 않습니다: 5"),
        ([[0, 0, 0, 0]], [0, 1], "모든 배열의 샘플 수가 같아야 합니다"),
        ([[0, 0, 0, float("nan")]], [0], "유한한 수여야 합니다"),
        ([["a", "b", "c", "d"]], [0], "`x`에는 수가 들어 있어야 합니다"),
    ):
        with pytest.raises(ValueError, match=said):
            model.fit(x, y, verbose=0)


def test_a_text_without_a_translation_stays_english(speaking):
    speaking(MULTILAYER_LANG="ko")
    assert tr("No catalogue has {this!r}.", this=1) == "No catalogue has 1."
    assert later("{not filled in}") == "{not filled in}"


def test_no_text_is_no_text_in_korean_too(speaking):
    speaking(MULTILAYER_LANG="ko")
    assert tr("") == ""  # for which gettext has the header of a catalogue


def test_english_reads_no_catalogue():
    code = (
        "import sys, multilayer; from multilayer import _language\n"
        "multilayer._language.tr('a {b}', b=1)\n"
        "assert not _language._catalogue.cache_info().currsize\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- The catalogue ---


@pytest.fixture(scope="module")
def texts():
    return catalogue.read_po()


def test_every_text_is_translated_and_none_is_obsolete(texts):
    wanted = catalogue.wanted()
    missing = [text for text in wanted if not texts.get(text)]
    assert not missing, "run `PYTHONPATH=tests python tests/helpers/catalogue.py`, and translate what is new"
    assert set(texts) - {""} <= set(wanted)


def test_the_catalogue_that_is_read_is_made_of_the_one_that_is_written(texts):
    assert catalogue.MO.read_bytes() == catalogue.mo(texts), "run `PYTHONPATH=tests python tests/helpers/catalogue.py`"
    with catalogue.MO.open("rb") as file:
        read = gettext.GNUTranslations(file)
    assert all(read.gettext(text) == done for text, done in texts.items() if text)


def test_both_languages_have_the_same_values_written_alike(texts):
    for text, done in texts.items():
        english = catalogue.fields(text)
        plural = {field for field in english if field[0] == "s"}  # the English ending
        assert catalogue.fields(done) in (english, english - plural), text


def test_lines_and_spaces_at_the_ends_are_those_of_the_english_text(texts):
    for text, done in filter(all, texts.items()):
        assert (text.startswith("\n"), text.endswith("\n")) == (done.startswith("\n"), done.endswith("\n")), text
        assert not text.endswith(" ") or done.endswith(" ") or done == ", ", text


def test_no_particle_depends_on_a_value(texts):
    depends = re.compile(rf"\}}['\"`]?[{PARTICLES}](?=[ .,]|$)|\([이가은는을를과와으]\)")
    assert [done for done in texts.values() if depends.search(done)] == []


def test_words_are_those_of_the_glossary(texts):
    for english, korean in (("gradient", "그래디언트"), ("epoch", "에포크"), ("learning rate", "학습률")):
        for text, done in texts.items():
            plain = re.sub(r"`[^`]*`|\{[^}]*\}|--\S+", "", text)
            if re.search(rf"\b{english}s?\b", plain, re.IGNORECASE) and len(text) < 300:
                assert korean in done, text


def test_the_languages_are_those_that_have_a_catalogue():
    there = {path.parent.parent.name for path in _language.locales().glob("*/LC_MESSAGES/multilayer.mo")}
    assert {"en", *there} == set(_language.LANGUAGES)
