// Functions with types of their own (wit/images.wit), which know nothing of jobs.

const MOST = 0xffff_ffff;

export const sizes = {
  scale({ width, height }, factor) {
    const scaled = { width: Math.round(width * factor), height: Math.round(height * factor) };
    if (scaled.width < 1 || scaled.height < 1) throw "empty";
    if (scaled.width > MOST || scaled.height > MOST) throw "too-large";
    return scaled;
  },

  parts(sizes, within) {
    const fits = (size) => !within || (size.width <= within.width && size.height <= within.height);
    return sizes.map((size) => (fits(size) ? { tag: "whole" } : { tag: "cut", val: within }));
  },
};
