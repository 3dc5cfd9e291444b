// What a text is made of.

#pragma once

#include <stddef.h>

typedef struct {
  // With or without a line break after the last one.
  size_t lines;
  // What stands between white space.
  size_t words;
} Report;

Report count(const char *text, size_t length);
