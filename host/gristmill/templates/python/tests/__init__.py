"""Packages are found in `vendor`, as `gristmill build` finds them, or else where it is told that the SDK is."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vendor"))
if sdk := os.environ.get("GRISTMILL_SDK_PATH"):
    sys.path.append(str(Path(sdk) / "python"))
