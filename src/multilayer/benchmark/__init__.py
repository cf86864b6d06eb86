"""Measuring: what a network costs, here and beside other libraries.

Each engine (this library, the bare matrix products, a peer) works in a process of its own and is asked in turn, so that
none meets another's threads or memory, and a busy moment of the machine meets all alike.

- `workloads`: what is trained, its data and its first weights, the same for every engine;
- `engines`: one small file for each engine, as its own experts would write it;
- `worker` and `engine_processes`: the process that an engine lives in, and the benchmark's end of the line;
- `timing`: taking turns, medians, ratios.

`multilayer benchmark` runs a short selection; `benchmarks/peers.py` in the repository runs everything.
"""
