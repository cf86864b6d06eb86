"""The catalogue of Korean texts: what of the code belongs into it, its two files, and how they are kept.

`PYTHONPATH=tests python tests/helpers/catalogue.py` enters texts that are new into the `.po` file, for a person to
translate, takes out those that are gone, and makes the `.mo` file that Python's `gettext` reads.
"""

import ast
import re
import string
import struct
from pathlib import Path

import typer

import multilayer
from multilayer._language import locales
from multilayer.cli import commands, speaking

HOUSE = Path(multilayer.__file__).parent
PO = locales() / "ko" / "LC_MESSAGES" / "multilayer.po"
MO = PO.with_suffix(".mo")
MARKS = {"tr", "later", "spoken"}  # functions whose first argument is a text to translate
KINDS = {"unknown", "register"}  # functions whose first argument is a kind of object, which an error names

# What others say on the command line: typer, and the operating system.
TYPERS = (
    "Usage: ", "Usage:", "Options", "Arguments", "Commands", "Error", "Aborted!", "Aborted.", "[default: {}]",
    "[required]",
    "Show this message and exit.", "Try [blue]'{command_path} {help_option}'[/] for help.",
    "Missing argument", "Missing option", "Missing parameter", "Missing command.", "No such command {name!r}.",
    "No such option: {name}", "Invalid value: {message}", "Invalid value for {param_hint}: {message}",
    "Option {name!r} requires an argument.", "Option {name!r} does not take a value.",
    "{value!r} is not a valid {number_type}.", "{value} is not in the range {range}.",
    "Install completion for the current shell.",
    "Show completion for the current shell, to copy it or customize the installation.",
)  # fmt: skip
SYSTEMS = (
    "No such file or directory", "Permission denied", "Is a directory", "Not a directory", "File exists",
    "No space left on device", "Read-only file system", "File name too long", "Broken pipe",
)  # fmt: skip


def wanted():
    """The texts that belong into the catalogue, each with the files that have it."""
    places = {}
    for path in sorted(HOUSE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                name, text = ast.unparse(call.func).rpartition(".")[2], call.args[0].value
                if isinstance(text, str) and name in MARKS | KINDS:
                    places.setdefault(text, set()).add(path.relative_to(HOUSE).as_posix())
    for owner, attribute in speaking.help_texts(typer.main.get_command(commands.app)):
        places.setdefault(getattr(owner, attribute), set()).add("cli (help)")
    for text in TYPERS:
        places.setdefault(text, set()).add("typer")
    for text in SYSTEMS:
        places.setdefault(text, set()).add("the operating system")
    return places


def fields(text):
    """What stands in braces: the names of values, with how they are written."""
    try:
        return {(name, spec, how) for _, name, spec, how in string.Formatter().parse(text) if name is not None}
    except ValueError:  # braces that are no template's
        return set()


def read_po(path=PO):
    """The texts of a .po file with their translations; its head stands under the empty text."""
    found, key, parts = {}, None, {}
    for line in [*path.read_text(encoding="utf-8").splitlines(), "msgid"]:
        if line.startswith("msgid"):
            if parts:
                found[parts["msgid"]] = parts["msgstr"]
            parts = {}
        match = re.fullmatch(r'(?:(msgid|msgstr) )?"(.*)"', line)
        if match:
            key = match[1] or key
            parts[key] = parts.get(key, "") + ast.literal_eval(f'"{match[2]}"')
    return found


def write_po(catalogue, places, path=PO):
    """Writes a .po file, the texts in the order of the files that have them."""
    order = sorted(places, key=lambda text: (min(places[text]), text))
    blocks = [_entry("", catalogue[""])]
    blocks += [f"#: {' '.join(sorted(places[text]))}\n{_entry(text, catalogue.get(text, ''))}" for text in order]
    path.write_text("\n".join(blocks), encoding="utf-8")


def _entry(text, translation):
    return f"msgid {_quoted(text)}\nmsgstr {_quoted(translation)}\n"


def _quoted(text):
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        return '""\n' + "\n".join(map(_quoted, lines))
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def mo(catalogue):
    """The bytes of the .mo file: the translated texts in order, each with its translation."""
    pairs = sorted((text.encode(), done.encode()) for text, done in catalogue.items() if done)
    start, ids, texts = 28 + 16 * len(pairs), b"", b""
    for text, _ in pairs:
        ids += text + b"\0"
    at, of = start, start + len(ids)
    first, second = b"", b""
    for text, done in pairs:
        first += struct.pack("<II", len(text), at)
        second += struct.pack("<II", len(done), of)
        at, of, texts = at + len(text) + 1, of + len(done) + 1, texts + done + b"\0"
    head = struct.pack("<IIIIIII", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return head + first + second + ids + texts


def main():
    """Brings both files to what the code has."""
    places, catalogue = wanted(), read_po()
    kept = {text: done for text, done in catalogue.items() if text in places or not text}
    write_po(kept, places)
    MO.write_bytes(mo(kept))
    new = [text for text in places if not kept.get(text)]
    print(f"{len(places)} texts, {len(new)} to translate; {len(catalogue) - len(kept)} were gone")


if __name__ == "__main__":
    main()
