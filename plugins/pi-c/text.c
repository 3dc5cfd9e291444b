// Text that grows, and whole numbers in it.

#include "text.h"

#include <stdlib.h>
#include <string.h>

// Room for most of what is written here.
enum { ROOM_MIN = 64 };

// What fits a uint32_t whatever it is, and is more than anybody asks for.
enum { WHOLE_DIGITS_MAX = 9 };

void *reserve(size_t size) {
  void *memory = malloc(size);
  if (memory == NULL) __builtin_trap();
  return memory;
}

void add(Text *text, const char *bytes, size_t length) {
  if (text->room - text->length < length) {
    size_t room = 2 * (text->length + length);
    text->room = room < ROOM_MIN ? ROOM_MIN : room;
    text->bytes = realloc(text->bytes, text->room);
    if (text->bytes == NULL) __builtin_trap();
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

void add_text(Text *text, const char *added) {
  add(text, added, strlen(added));
}

void add_number(Text *text, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  add(text, digits + at, sizeof digits - at);
}

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

const char *whole(const char *at, const char *end, uint64_t *number) {
  at = skip_space(at, end);
  const char *start = at;
  *number = 0;
  for (; at < end && *at >= '0' && *at <= '9'; at++) {
    if (at - start == WHOLE_DIGITS_MAX) return NULL;
    *number = *number * 10 + (uint64_t)(*at - '0');
  }
  return at == start ? NULL : skip_space(at, end);
}

const char *mark(const char *at, const char *end, char which) {
  at = skip_space(at, end);
  return at < end && *at == which ? skip_space(at + 1, end) : NULL;
}
