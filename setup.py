"""What pyproject.toml cannot say: the native kernels, which the package does without where they cannot be built."""

import numpy
from setuptools import Extension, setup

FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fopenmp-simd"]

setup(
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
                "src/multilayer/_core/kernels/_steps.h",
                "src/multilayer/_core/kernels/_threads.h",
                "src/multilayer/_core/kernels/_wide.h",
            ],
            include_dirs=[numpy.get_include()],
            extra_compile_args=FLAGS,
            optional=True,
        )
    ]
)
