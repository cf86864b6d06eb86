"""Programs in a Python of their own."""

import subprocess
import sys


def printed_by(program, **options):
    """What a program prints that runs in a fresh Python, and ends without an error."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, **options)
    return done.stdout
