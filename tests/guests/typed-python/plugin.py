"""Functions with types of their own (wit/images.wit), which know nothing of jobs."""

from math import floor

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.sizes import Part, Part_Cut, Part_Whole, Reason, Size

MOST = 0xFFFF_FFFF


class Sizes(exports.Sizes):
    def scale(self, size: Size, factor: float) -> Size:
        scaled = Size(floor(size.width * factor + 0.5), floor(size.height * factor + 0.5))
        if scaled.width < 1 or scaled.height < 1:
            raise Err(Reason.EMPTY)
        if scaled.width > MOST or scaled.height > MOST:
            raise Err(Reason.TOO_LARGE)
        return scaled

    def parts(self, sizes: list[Size], within: Size | None) -> list[Part]:
        def part(size: Size) -> Part:
            if within and (size.width > within.width or size.height > within.height):
                return Part_Cut(within)
            return Part_Whole()

        return [part(size) for size in sizes]
