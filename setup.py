"""What pyproject.toml cannot say: the native kernels, which the package does without where they cannot be built."""

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fopenmp-simd"]
MICROSOFTS_FLAGS = ["/O2", "/std:c11", "/experimental:c11atomics"]  # Visual Studio 2022 17.5 and later


class BuildKernels(build_ext):
    """Builds the extension with the flags of the compiler that is found."""

    def build_extensions(self):
        for extension in self.extensions:
            extension.extra_compile_args = MICROSOFTS_FLAGS if self.compiler.compiler_type == "msvc" else FLAGS
        super().build_extensions()


setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[
        Extension(
            "multilayer._core.kernels._native",
            ["src/multilayer/_core/kernels/_native.c"],
            depends=[
                "src/multilayer/_core/kernels/_compiler.h",
                "src/multilayer/_core/kernels/_dense.h",
                "src/multilayer/_core/kernels/_kinds.h",
                "src/multilayer/_core/kernels/_layers.h",
                "src/multilayer/_core/kernels/_loops.h",
                "src/multilayer/_core/kernels/_products.h",
                "src/multilayer/_core/kernels/_spline_loops.h",
                "src/multilayer/_core/kernels/_splines.h",
                "src/multilayer/_core/kernels/_steps.h",
                "src/multilayer/_core/kernels/_threads.h",
                "src/multilayer/_core/kernels/_wide.h",
            ],
            include_dirs=[numpy.get_include()],
            optional=True,
        )
    ],
)
