"""What pyproject.toml cannot say: the native kernels, which the package does without where they cannot be built."""

import numpy
from setuptools import Extension, setup

FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fopenmp-simd"]

setup(
    ext_modules=[
        Extension(
            "multilayer.kernels._native",
            ["src/multilayer/kernels/_native.c"],
            depends=[
                "src/multilayer/kernels/_layers.h",
                "src/multilayer/kernels/_loops.h",
                "src/multilayer/kernels/_narrow.h",
                "src/multilayer/kernels/_steps.h",
                "src/multilayer/kernels/_threads.h",
            ],
            include_dirs=[numpy.get_include()],
            extra_compile_args=FLAGS,
            optional=True,
        )
    ]
)
