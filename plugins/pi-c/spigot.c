// The digits of π, one after the other, in whole numbers (Rabinowitz and Wagon, 1995).

#include "spigot.h"

// Progress is told once for this many digits: calls of the host are counted.
enum { PROGRESS_STEP = 100 };

// No digit is held back yet.
enum { NONE = -1 };

// Takes one digit of a number in a base of many different digits.
static int take(uint64_t *places, size_t length) {
  uint64_t carry = 0;
  for (size_t at = length - 1; at > 0; at--) {
    uint64_t sum = places[at] * 10 + carry;
    uint64_t base = 2 * at + 1;
    places[at] = sum % base;
    carry = sum / base * at;
  }
  uint64_t sum = places[0] * 10 + carry;
  places[0] = sum % 10;
  return (int)(sum / 10);
}

// Writes the digit that was held back, and what the nines after it have become.
static void write(Text *digits, int held, size_t *nines, char nine) {
  char digit = (char)('0' + held);
  add(digits, &digit, 1);
  for (; *nines > 0; --*nines) add(digits, &nine, 1);
}

void pi(Text *written, size_t length, void (*told)(size_t done, size_t length)) {
  // Room for so many digits, and some more, since a few are held back.
  size_t room = (length + 1) * 10 / 3 + 32;
  uint64_t *places = reserve(room * sizeof *places);
  for (size_t at = 0; at < room; at++) places[at] = 2;
  Text digits = {0};
  // A digit that a carry could still change, and how many nines stand after it.
  int held = NONE;
  size_t nines = 0;
  for (size_t dripped = 1; digits.length <= length; dripped++) {
    int digit = take(places, room);
    if (digit == 9 && held != NONE) {
      nines++;
    } else if (digit == 10) {
      write(&digits, held + 1, &nines, '0');
      held = 0;
    } else {
      if (held != NONE) write(&digits, held, &nines, '9');
      held = digit;
    }
    if (dripped % PROGRESS_STEP == 0) told(dripped, length);
  }
  add_text(written, "3.");
  add(written, digits.bytes + 1, length);
}
