"""Imported first by tests that need torch and transformers: they run in the interpreter that MOESWEEP_TRANSFORMERS_PYTHON
names, else in this one, and are skipped where those can't be imported."""
import os
import sys

OTHER = os.environ.pop("MOESWEEP_TRANSFORMERS_PYTHON", None)
if OTHER:
    os.execv(OTHER, [OTHER, "-B", *sys.argv])
try:
    import numpy  # noqa: F401
    import torch  # noqa: F401
    import transformers  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; MOESWEEP_TRANSFORMERS_PYTHON can name an interpreter that has torch and transformers")
    sys.exit(77)
