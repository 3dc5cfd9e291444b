"""Text in, JSON out: a first job, to be replaced by your own."""

from gristmill_guest import Ctx, job, plugin


@job
def count(ctx: Ctx, text: str) -> dict[str, int]:
    """Counts the lines and words of a text."""
    report = {"lines": len(text.splitlines()), "words": len(text.split())}
    ctx.info(f"counted {report['words']} words")
    return report


Handler, Describe = plugin(count)
