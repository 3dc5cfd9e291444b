// A value that is dear to compute and the same for everybody: the cache remembers it, and one attempt
// computes it for all that want it at one time. `pi` is the same plugin in Rust.

#include <string.h>

#include "job.h"
#include "spigot.h"
#include "text.h"

typedef exports_gristmill_job_handler_payload_t Payload;
typedef exports_gristmill_job_handler_option_payload_t Result;
typedef exports_gristmill_job_handler_failure_t Failure;

// More take a job for seconds.
enum { DIGITS_MAX = 1000 };

// Milliseconds that digits are remembered: they don't change, and room in the cache is for all.
static uint64_t remembered = 24 * 60 * 60 * 1000;

// Milliseconds to wait for another attempt's digits, before they are computed here as well.
enum { PATIENCE = 5000 };

// The cache that the plugin has for itself.
static job_string_t own_bucket = {0};

static job_string_t string(Text text) {
  return (job_string_t){.ptr = (uint8_t *)text.bytes, .len = text.length};
}

static job_list_u8_t bytes(Text text) {
  return (job_list_u8_t){.ptr = (uint8_t *)text.bytes, .len = text.length};
}

static Text text(const char *words) {
  Text text = {0};
  add_text(&text, words);
  return text;
}

static Text number(uint64_t number) {
  Text text = {0};
  add_number(&text, number);
  return text;
}

static Payload json(Text text) {
  Payload payload = {.data = bytes(text)};
  job_string_dup(&payload.content_type, "application/json");
  return payload;
}

static void log_line(gristmill_job_log_level_t level, const char *words, const char *name, Text value) {
  job_string_t message = string(text(words));
  job_tuple2_string_string_t field = {.f0 = string(text(name)), .f1 = string(value)};
  job_list_tuple2_string_string_t fields = {.ptr = &field, .len = 1};
  gristmill_job_log_emit(level, &message, &fields);
}

// Ends the job for good.
static bool refuse(Failure *failure, const char *code, Text message) {
  *failure = (Failure){.message = string(message), .code = {.is_some = true}};
  job_string_dup(&failure->code.val, code);
  failure->disposition.tag = GRISTMILL_JOB_TYPES_DISPOSITION_FATAL;
  return false;
}

static void told(size_t done, size_t length) {
  uint64_t total = length;
  gristmill_job_context_progress(done, &total, NULL);
}

static Text key_of(uint64_t length) {
  Text key = text("pi:");
  add_number(&key, length);
  return key;
}

static Text compute(uint64_t length) {
  log_line(GRISTMILL_JOB_LOG_LEVEL_INFO, "computing", "digits", number(length));
  Text digits = {0};
  pi(&digits, length, told);
  return digits;
}

// The digits of the cache; computes them where it has none, and without it where it can't be reached.
static Text remember(uint64_t length, bool *cached) {
  job_string_t key = string(key_of(length));
  gristmill_job_cache_lookup_t lookup;
  gristmill_job_cache_error_t error;
  if (!gristmill_job_cache_get_or_reserve(&own_bucket, &key, PATIENCE, &lookup, &error)) {
    log_line(GRISTMILL_JOB_LOG_LEVEL_WARN, "computing without the cache", "key", key_of(length));
    return compute(length);
  }
  *cached = lookup.tag == GRISTMILL_JOB_CACHE_LOOKUP_HIT;
  if (*cached) {
    Text digits = {0};
    add(&digits, (char *)lookup.val.hit.ptr, lookup.val.hit.len);
    return digits;
  }
  Text digits = compute(length);
  if (lookup.tag == GRISTMILL_JOB_CACHE_LOOKUP_RESERVED) {
    job_list_u8_t value = bytes(digits);
    bool stored;
    // The digits are right all the same where they can't be kept.
    gristmill_job_cache_static_reservation_fill(lookup.val.reserved, &value, &remembered, &stored, &error);
  }
  return digits;
}

static bool digits(const char *at, const char *end, Result *result, Failure *failure) {
  uint64_t length;
  at = whole(at, end, &length);
  if (at != end) return refuse(failure, "invalid-input", text("invalid input: expected a whole number"));
  if (length < 1 || length > DIGITS_MAX) {
    Text message = number(length);
    add_text(&message, " digits: from 1 to ");
    add_number(&message, DIGITS_MAX);
    add_text(&message, " can be had");
    refuse(failure, "digits", message);
    failure->detail.is_some = true;
    failure->detail.val = json(number(DIGITS_MAX));
    return false;
  }
  bool cached = false;
  Text found = remember(length, &cached);
  Text written = text("{\"digits\":\"");
  add(&written, found.bytes, found.length);
  add_text(&written, cached ? "\",\"cached\":true}" : "\",\"cached\":false}");
  *result = (Result){.is_some = true, .val = json(written)};
  return true;
}

// A job that computes so many digits, if no other is about to.
static gristmill_job_queue_own_new_job_t job_of(uint64_t length) {
  job_string_t function = string(text("digits"));
  gristmill_job_queue_payload_t input = json(number(length));
  gristmill_job_queue_own_new_job_t job = gristmill_job_queue_constructor_new_job(&function, &input);
  job_string_t key = string(key_of(length));
  gristmill_job_queue_method_new_job_set_unique_key(gristmill_job_queue_borrow_new_job(job), &key);
  return job;
}

// Reads an array of whole numbers, and makes a job of each.
static bool jobs_of(const char *at, const char *end, gristmill_job_queue_list_own_new_job_t *jobs) {
  // A number and what parts it from the next are two bytes at least.
  jobs->ptr = reserve((size_t)(end - at + 1) / 2 * sizeof *jobs->ptr);
  jobs->len = 0;
  at = mark(at, end, '[');
  const char *empty = at == NULL ? NULL : mark(at, end, ']');
  if (empty != NULL) return empty == end;
  for (bool more = at != NULL; more;) {
    uint64_t length;
    at = whole(at, end, &length);
    if (at == NULL) return false;
    jobs->ptr[jobs->len++] = job_of(length);
    const char *next = mark(at, end, ',');
    more = next != NULL;
    at = more ? next : mark(at, end, ']');
  }
  return at == end;
}

static bool prepare(const char *at, const char *end, Result *result, Failure *failure) {
  gristmill_job_queue_list_own_new_job_t jobs;
  if (!jobs_of(at, end, &jobs)) {
    return refuse(failure, "invalid-input", text("invalid input: expected an array of whole numbers"));
  }
  gristmill_job_queue_list_verdict_t verdicts;
  gristmill_job_queue_error_t error;
  if (!gristmill_job_queue_enqueue(&jobs, GRISTMILL_JOB_QUEUE_COMMIT_ON_SUCCESS, &verdicts, &error)) {
    refuse(failure, "enqueue", text("the jobs can't be enqueued"));
    failure->disposition.tag = GRISTMILL_JOB_TYPES_DISPOSITION_RETRY;
    return false;
  }
  Text written = text("[");
  for (size_t at = 0; at < verdicts.len; at++) {
    if (verdicts.ptr[at].tag != GRISTMILL_JOB_QUEUE_VERDICT_ACCEPTED) continue;
    job_string_t id = verdicts.ptr[at].val.accepted;
    add_text(&written, written.length > 1 ? ",\"" : "\"");
    add(&written, (char *)id.ptr, id.len);
    add_text(&written, "\"");
  }
  add_text(&written, "]");
  *result = (Result){.is_some = true, .val = json(written)};
  return true;
}

static bool is(const job_string_t *name, const char *other) {
  return name->len == strlen(other) && memcmp(name->ptr, other, name->len) == 0;
}

bool exports_gristmill_job_handler_handle(job_string_t *function, Payload *input, Result *result,
                                          Failure *failure) {
  const char *at = (const char *)input->data.ptr, *end = at + input->data.len;
  if (is(function, "digits")) return digits(at, end, result, failure);
  if (is(function, "prepare")) return prepare(at, end, result, failure);
  return refuse(failure, "unknown-function", text("there are the functions digits and prepare"));
}

void exports_gristmill_job_describe_describe(job_string_t *document) {
  job_string_dup(
      document,
      "{\"functions\": ["
      "{\"name\": \"digits\", \"accepts\": [\"application/json\"], \"returns\": \"application/json\","
      " \"summary\": \"Gives π with so many digits after the point, from the cache if it has them.\","
      " \"input\": {\"type\": \"integer\", \"minimum\": 0}},"
      "{\"name\": \"prepare\", \"accepts\": [\"application/json\"], \"returns\": \"application/json\","
      " \"summary\": \"Has the digits of several lengths computed, each by a job of its own, and gives"
      " these jobs' ids.\","
      " \"input\": {\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": 0}}}"
      "]}");
}
