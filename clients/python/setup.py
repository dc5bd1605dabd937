"""Builds the package. The API's messages are made first, by `generate`: setuptools looks for their folder from its first step
on, and an editable install uses them where they are."""

import pathlib
import subprocess
import sys

from setuptools import setup

HERE = pathlib.Path(__file__).resolve().parent
subprocess.run([sys.executable, str(HERE / "generate"), str(HERE / "continuo")], check=True)
setup()
