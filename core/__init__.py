"""The engine and its command line."""

import os

# Read when torch is imported: what Apple's devices cannot compute yet, the processor does.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
