"""The C of models on other processors, as emulators run it: a Cortex-M under QEMU, an AVR under simavr."""

import pytest

import multilayer as keras
from helpers.c_programs import WARNINGS, built, needs
from helpers.layer_cases import ROWS, X, randomized
from multilayer import layers
from multilayer.layers import Dense, Input

ARM = ("arm-none-eabi-gcc", "-mthumb", "-Os", "-std=c99")
AVR = ("avr-gcc", "-mmcu=atmega328p", "-Os", "-std=c99")

# What a processor reads first: where the stack ends, and where it begins.
VECTORS = """
extern void _start(void);
__attribute__((section(".vectors"), used)) static void *const vectors[2] = {(void *)0x20008000, (void *)_start};
"""
# The test's `main`, with what it prints sent over the serial line; the processor sleeps for good when it is done.
SERIAL = """
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdio.h>
int net_test_main(void);
static int put(char c, FILE *file)
{
    (void)file;
    loop_until_bit_is_set(UCSR0A, UDRE0);
    UDR0 = (uint8_t)c;
    return 0;
}
static FILE serial = FDEV_SETUP_STREAM(put, NULL, _FDEV_SETUP_WRITE);
int main(void)
{
    UCSR0B = _BV(TXEN0);
    stdout = &serial;
    printf("returned %d\\n", net_test_main());
    cli();
    sleep_enable();
    sleep_cpu();
    return 0;
}
"""


def of_numbers():
    """With helpers of every sort: a sum of several runs, an error function, a softmax."""
    inside = [layers.Normalization(mean=[1.0] * 6, variance=range(6)), Dense(40, "gelu"), layers.LayerNormalization()]
    return randomized(keras.Sequential([Input((6,)), *inside, Dense(5, "elu"), Dense(3, "softmax")]))


def of_whole_numbers():
    tokens = Input((3,), dtype="int16")
    x = layers.Embedding(9, 4)(tokens)
    counted = layers.CategoryEncoding(9, "count")(tokens)
    looked_up = layers.IntegerLookup(vocabulary=[3, 5, 1], output_mode="multi_hot")(tokens)
    joined = layers.Concatenate()([layers.GlobalMaxPooling1D()(x), counted, looked_up])
    return randomized(keras.Model(tokens, Dense(2, "tanh")(joined)))


def of_few_bits():
    """In whole numbers, with weights of 8, 4 and 2 bits, and all that is done with them."""
    x = Input((6,))
    a = layers.QuantizationAware(Dense(9, "relu"), 4)(x)
    b = layers.QuantizationAware(Dense(9, "tanh"), 2)(x)
    turned = layers.Permute((2, 1))(layers.Reshape((3, 3))(layers.Add()([a, b])))
    joined = layers.BatchNormalization()(layers.Concatenate()([layers.Flatten()(turned), b]))
    return keras.Model(x, Dense(3, "softmax")(joined))


MODELS = [of_numbers, of_whole_numbers, of_few_bits]


def export(make, path, **options):
    if make is of_few_bits:
        options |= {"dtype": "int8", "calibration": X}
    make().export(path, verbose=False, **options)


@needs("arm-none-eabi-gcc")
@needs("qemu-system-arm")
@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(("core", "machine"), [("cortex-m3", "mps2-an385"), ("cortex-m4", "mps2-an386")])
def test_it_passes_on_a_cortex_m(tmp_path, make, core, machine):
    export(make, tmp_path / "net.c")
    (tmp_path / "vectors.c").write_text(VECTORS)
    built([*ARM, f"-mcpu={core}", *WARNINGS, "-c", "net.c", "net_test.c"], tmp_path)
    link = ["vectors.c", "net.o", "net_test.o", "-o", "net.elf", "-Wl,--section-start=.vectors=0", "-lm"]
    built([*ARM, f"-mcpu={core}", "--specs=rdimon.specs", *link], tmp_path)
    board = ["qemu-system-arm", "-M", machine, "-nographic", "-semihosting-config", "enable=on,target=native"]
    assert b"passed" in built([*board, "-kernel", "net.elf"], tmp_path)


@needs("avr-gcc")
@needs("simavr")
@pytest.mark.parametrize("make", MODELS)
def test_it_passes_on_an_avr_with_constants_in_its_flash(tmp_path, make):
    export(make, tmp_path / "net.c", progmem=True)
    (tmp_path / "serial.c").write_text(SERIAL)
    built([*AVR, *WARNINGS, "-c", "net.c"], tmp_path)
    built([*AVR, "-Dmain=net_test_main", "-c", "net_test.c"], tmp_path)
    built([*AVR, "serial.c", "net.o", "net_test.o", "-o", "net.elf", "-lm"], tmp_path)
    printed = built(["simavr", "-m", "atmega328p", "-f", "16000000", "net.elf"], tmp_path, merged=True)
    assert b"passed" in printed
    assert b"returned 0" in printed


@needs("arm-none-eabi-gcc")
@needs("arm-none-eabi-size")
def test_the_budget_is_what_the_linker_counts(tmp_path, capsys):
    of_numbers().export(tmp_path / "net.c")
    said = capsys.readouterr().out
    built([*ARM, "-mcpu=cortex-m4", "-c", "net.c"], tmp_path)
    table = built(["arm-none-eabi-size", "-A", "net.o"], tmp_path).decode().splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) for line in table if line.startswith(".")}
    constants = sum(size for name, size in sizes.items() if name.startswith(".rodata"))
    code = sum(size for name, size in sizes.items() if name.startswith(".text"))
    assert f"flash: {constants:,} bytes of constants" in said
    about = int(said.partition("about ")[2].partition(" of code")[0].replace(",", ""))
    assert 0.7 * about < code < 1.1 * about
    assert sizes.get(".data", 0) == sizes.get(".bss", 0) == 0


@needs("avr-gcc")
def test_every_layer_is_compiled_where_whole_numbers_are_short(tmp_path):
    for i, (layer, xs) in enumerate(ROWS):
        several = isinstance(xs, list)
        inputs = [Input(x.shape[1:], dtype="int16" if x.dtype.kind == "i" else None) for x in (xs if several else [xs])]
        model = randomized(keras.Model(inputs, layer(inputs if several else inputs[0])))
        model.export(tmp_path / f"m{i}.c", verbose=False, progmem=True)
    (tmp_path / "all.c").write_text("\n".join(f'#include "m{i}.c"' for i in range(len(ROWS))))
    built([*AVR, "-O0", *WARNINGS, "-fsyntax-only", "all.c"], tmp_path)
