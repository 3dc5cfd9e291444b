"""The digits of π, one after the other, in whole numbers (Rabinowitz and Wagon, 1995)."""

from collections.abc import Callable

PROGRESS_STEP = 100
"""Progress is told once for this many digits: calls of the host are counted."""


def pi(length: int, told: Callable[[int], None] = lambda done: None) -> str:
    """π with `length` digits after the point; `told` hears how many there are from time to time."""
    # Room for so many digits, and some more, since a few are held back.
    places = [2] * ((length + 1) * 10 // 3 + 32)
    digits = ""
    # A digit that a carry could still change, and how many nines stand after it.
    held: int | None = None
    nines = dripped = 0
    while len(digits) <= length:
        digit = take(places)
        dripped += 1
        if digit == 9 and held is not None:
            nines += 1
        elif digit == 10 and held is not None:
            digits += str(held + 1) + "0" * nines
            held, nines = 0, 0
        else:
            digits += "" if held is None else str(held) + "9" * nines
            held, nines = digit, 0
        if dripped % PROGRESS_STEP == 0:
            told(dripped)
    return f"3.{digits[1 : length + 1]}"


def take(places: list[int]) -> int:
    """Takes one decimal digit of the number, whose places have a base each."""
    carry = 0
    for at in range(len(places) - 1, 0, -1):
        whole, places[at] = divmod(places[at] * 10 + carry, 2 * at + 1)
        carry = whole * at
    digit, places[0] = divmod(places[0] * 10 + carry, 10)
    return digit
