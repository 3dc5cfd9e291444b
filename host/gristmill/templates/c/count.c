// What a text is made of.

#include "count.h"

#include <stdbool.h>

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

Report count(const char *text, size_t length) {
  Report report = {0};
  bool in_word = false;
  for (size_t at = 0; at < length; at++) {
    if (at == 0 || text[at - 1] == '\n') report.lines++;
    bool was_in_word = in_word;
    in_word = !is_space(text[at]);
    if (in_word && !was_in_word) report.words++;
  }
  return report;
}
