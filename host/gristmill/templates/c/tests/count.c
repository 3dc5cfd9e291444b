// Texts, and what they are made of.

#undef NDEBUG
#include "../count.h"

#include <assert.h>
#include <string.h>

static void check(const char *text, size_t lines, size_t words) {
  Report report = count(text, strlen(text));
  assert(report.lines == lines);
  assert(report.words == words);
}

int main(void) {
  check("", 0, 0);
  check("to be\nor not", 2, 4);
  check(" a line \n", 1, 2);
  check("\n\n", 2, 0);
  return 0;
}
