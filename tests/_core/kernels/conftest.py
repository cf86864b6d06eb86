"""What the tests of the kernels are about is the kernels, also on a machine whose BLAS library is preferred to them."""

import pytest

from multilayer._core import kernels
from multilayer._core.kernels import products


@pytest.fixture(autouse=True)
def own_products(monkeypatch):
    """Large products are the kernels' own, whatever an earlier test has led this process to choose."""
    chosen = products._chosen
    monkeypatch.setattr(products, "_chosen", products.Choice("own", "under test"))
    kernels.leave_to_blas(False)
    yield
    kernels.leave_to_blas(chosen is not None and chosen.by == "blas")
