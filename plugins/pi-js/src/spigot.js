// The digits of π, one after the other, in whole numbers (Rabinowitz and Wagon, 1995).

/** Progress is told once for this many digits: calls of the host are counted. */
const PROGRESS_STEP = 100;

/** π with `length` digits after the point; `told` hears how many there are from time to time. */
export function pi(length, told = () => {}) {
  // Room for so many digits, and some more, since a few are held back.
  const places = new Array(Math.floor(((length + 1) * 10) / 3) + 32).fill(2);
  let digits = "";
  // A digit that a carry could still change, and how many nines stand after it.
  let held;
  let nines = 0;
  for (let dripped = 1; digits.length <= length; dripped += 1) {
    const digit = take(places);
    if (digit === 9 && held !== undefined) {
      nines += 1;
    } else if (digit === 10) {
      digits += String(held + 1) + "0".repeat(nines);
      [held, nines] = [0, 0];
    } else {
      digits += held === undefined ? "" : String(held) + "9".repeat(nines);
      [held, nines] = [digit, 0];
    }
    if (dripped % PROGRESS_STEP === 0) {
      told(dripped);
    }
  }
  return `3.${digits.slice(1, length + 1)}`;
}

function take(places) {
  let carry = 0;
  for (let at = places.length - 1; at > 0; at -= 1) {
    const sum = places[at] * 10 + carry;
    const base = 2 * at + 1;
    places[at] = sum % base;
    carry = Math.floor(sum / base) * at;
  }
  const sum = places[0] * 10 + carry;
  places[0] = sum % 10;
  return Math.floor(sum / 10);
}
