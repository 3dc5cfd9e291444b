// Text that grows, and whole numbers in it. Without printf, which would take more room than all the rest.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Never freed: every attempt has an instance, and so a memory, of its own.
typedef struct {
  char *bytes;
  size_t length, room;
} Text;

// Memory; where there is none left, the attempt ends, and the host knows why.
void *reserve(size_t size);

void add(Text *text, const char *bytes, size_t length);
void add_text(Text *text, const char *added);
void add_number(Text *text, uint64_t number);

// Reads a whole number of at most nine digits, with white space around it. Gives where it ends, or null
// where there is none.
const char *whole(const char *at, const char *end, uint64_t *number);

// Reads one character, with white space after it. Gives where that ends, or null if it isn't there.
const char *mark(const char *at, const char *end, char which);
