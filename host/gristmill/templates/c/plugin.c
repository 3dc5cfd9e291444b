// Text in, JSON out: a first job, to be replaced by your own. What the host offers is declared in job.h, which
// `gristmill build` puts into target/gristmill/c.

#include <stdio.h>
#include <string.h>

#include "count.h"
#include "job.h"

typedef exports_gristmill_job_handler_payload_t Payload;
typedef exports_gristmill_job_handler_option_payload_t Result;
typedef exports_gristmill_job_handler_failure_t Failure;

static const char description[] =
    "{\"functions\": [{\"name\": \"count\", \"summary\": \"Counts the lines and words of a text.\","
    " \"accepts\": [\"text/*\"], \"returns\": \"application/json\"}]}";

static void info(const char *text) {
  job_string_t message = {.ptr = (uint8_t *)text, .len = strlen(text)};
  job_list_tuple2_string_string_t no_fields = {0};
  gristmill_job_log_emit(GRISTMILL_JOB_LOG_LEVEL_INFO, &message, &no_fields);
}

// Only functions of the description are ever called, and there is one. What is handed back is freed by the
// bindings, so it has to be a copy.
bool exports_gristmill_job_handler_handle(job_string_t *function, Payload *input, Result *result,
                                          Failure *failure) {
  (void)function, (void)failure;
  Report report = count((const char *)input->data.ptr, input->data.len);
  char text[64];
  snprintf(text, sizeof text, "counted %zu words", report.words);
  info(text);

  snprintf(text, sizeof text, "{\"lines\":%zu,\"words\":%zu}", report.lines, report.words);
  job_string_t json;
  job_string_dup(&json, text);
  result->is_some = true;
  job_string_dup(&result->val.content_type, "application/json");
  result->val.data = (job_list_u8_t){.ptr = json.ptr, .len = json.len};
  return true;
}

void exports_gristmill_job_describe_describe(job_string_t *document) {
  job_string_dup(document, description);
}
