// Digits that are known, and numbers that are none.

#undef NDEBUG
#include "../spigot.h"

#include <assert.h>
#include <string.h>

static size_t told_last;

static void told(size_t done, size_t length) {
  assert(done <= length + 1);
  told_last = done;
}

static void check_digits(void) {
  Text written = {0};
  pi(&written, 1000, told);
  assert(written.length == 1002 && told_last == 1000);
  assert(memcmp(written.bytes, "3.14159265358979323846", 22) == 0);
  assert(memcmp(written.bytes + 760, "1349999998372978", 16) == 0);
  assert(memcmp(written.bytes + 992, "2164201989", 10) == 0);
}

static int check_whole(const char *text, uint64_t expected) {
  const char *end = text + strlen(text);
  uint64_t number;
  return whole(text, end, &number) == end && number == expected;
}

int main(void) {
  check_digits();
  assert(check_whole("17", 17) && check_whole(" 0\n", 0) && check_whole("999999999", 999999999));
  assert(!check_whole("", 0) && !check_whole("-1", 1) && !check_whole("1.5", 1));
  assert(!check_whole("1000000000", 1000000000));
  return 0;
}
