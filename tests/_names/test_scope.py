"""What Keras has and we leave out: it says so, in every way in which one can ask for it."""

import importlib
import sys

import pytest

import multilayer
from golden import recordings
from golden.surface import look_up
from helpers.processes import printed_by
from multilayer._names import scope

LEFT_OUT = [(module, name) for one in scope.FAMILIES for module, names in one.names.items() for name in names.split()]


@pytest.mark.parametrize(("module", "name"), LEFT_OUT)
def test_what_is_left_out_is_in_keras_and_not_here(module, name):
    surface = recordings.read("surface")["names"]
    path = name if module == "keras" else f"{module}.{name}"
    assert name in surface.get(module, {}) or path in surface
    assert not hasattr(look_up(multilayer, module), name)


def test_nothing_is_left_out_twice():
    assert len(set(LEFT_OUT)) == len(LEFT_OUT)


def test_every_family_has_its_sentences():
    for one in scope.FAMILIES:
        for text in (one.title, one.why, one.instead):
            assert text
            assert text == text.strip(" .")


CONVOLUTION = (
    r"^multilayer\.layers\.Conv2D is out of scope: one small kernel .*\. Use instead: `Flatten` and `Dense`, or "
)


def test_asked_for_as_an_attribute():
    with pytest.raises(AttributeError, match=CONVOLUTION):
        multilayer.layers.Conv2D(3)
    assert not hasattr(multilayer.layers, "Conv2D")
    assert getattr(multilayer.layers, "Conv2D", None) is None


def test_imported_from_its_module():
    with pytest.raises(ImportError, match=CONVOLUTION):
        from multilayer.layers import Conv2D  # noqa: F401
    with pytest.raises(ImportError, match=r"^multilayer\.layers\.LSTM is out of scope"):
        from multilayer.layers import LSTM, Dense  # noqa: F401
    with pytest.raises(ImportError, match=r"^multilayer\.ops\.image is out of scope: .* Use instead: Pillow"):
        from multilayer.ops import image  # noqa: F401


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("import multilayer.ops.image", "multilayer.ops.image"),
        ("from multilayer.ops.image import resize", "multilayer.ops.image"),
        ("from multilayer.applications import VGG16", "multilayer.applications"),
        ("import multilayer.applications.resnet", "multilayer.applications"),
        ("from multilayer.optimizers.legacy import Adam", "multilayer.optimizers.legacy"),
    ],
)
def test_a_module_that_is_left_out_as_a_whole(statement, named):
    with pytest.raises(ModuleNotFoundError, match=rf"^{named} is out of scope: ") as caught:
        exec(statement)
    assert caught.value.name == named


def test_what_nobody_has_is_missing_plainly_with_the_nearest_name():
    with pytest.raises(AttributeError, match=r"^module 'multilayer.layers' has no .* 'Dens'\. Did you mean 'Dense'\?$"):
        multilayer.layers.Dens  # noqa: B018
    with pytest.raises(AttributeError, match=r"^module 'multilayer' has no attribute 'qqqq'$"):
        multilayer.qqqq  # noqa: B018
    with pytest.raises(AttributeError, match=r"^module 'multilayer' has no attribute '__layer__'$"):
        multilayer.__layer__  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Dens' from 'multilayer.layers'"):
        from multilayer.layers import Dens  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'multilayer.opss'$"):
        importlib.import_module("multilayer.opss")


def test_what_is_imported_when_it_is_first_used_still_is():
    program = "import multilayer; print(multilayer.plotting.__name__, multilayer.datasets.mnist.__name__)"
    assert printed_by(program).strip() == "multilayer.plotting multilayer.datasets.mnist"
    with pytest.raises(AttributeError, match="'multilayer.datasets' has no attribute 'mmnist'. Did you mean 'mnist'"):
        multilayer.datasets.mmnist  # noqa: B018


def test_importing_looks_nothing_up():
    assert printed_by(
        "import sys, multilayer; print('difflib' in sys.modules, multilayer._names.scope._families.cache_info().misses)"
    ).strip() == ("False 0")


def test_there_is_one_finder_however_often_it_is_explained():
    scope.explain("a package that is not loaded")
    assert sys.meta_path.count(scope._Modules) == 1


def test_names_that_are_used_on_sequences_are_not_explained_by_convolutions():
    with pytest.raises(AttributeError, match=r"Use instead: `Dropout\(rate, noise_shape=\(None, 1, None\)\)`"):
        multilayer.layers.SpatialDropout1D(0.5)
