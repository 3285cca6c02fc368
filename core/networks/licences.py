"""Encoders whose publishers restrict their use. No torch here: preflight names them before anything runs."""

LICENCES = {
    "mit_b": "NVIDIA Source Code License: non-commercial use only",
    "dinov3": "Meta's DINOv3 License, which restricts use",
}
"""Part of an encoder's name -> what its publisher asks for."""


def restriction(encoder: str) -> str | None:
    """What an encoder's publisher restricts its use to, if so."""
    return next((licence for part, licence in LICENCES.items() if part in encoder), None)
