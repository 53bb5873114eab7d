/* A C program that runs a script on its own arrays, with an operation of its own. */
#include <autoray/autoray.h>

#include <stdio.h>

static const char* kScript =
    "from autoray import do\n"
    "\n"
    "def smooth(x):\n"
    "    return do('halve', x[1:] + x[:-1]), x.sum()\n";

/* do('halve', x): one result of one operand. */
static autoray_status halve(void* context, autoray_array* const* operands, size_t count, autoray_array** result, char* message,
                            size_t size) {
  autoray_engine* engine = context;
  int64_t n;
  if (count != 1 || autoray_array_ndim(operands[0]) != 1) {
    snprintf(message, size, "halve() takes one vector");
    return AUTORAY_FAILED;
  }
  n = autoray_array_size(operands[0]);
  if (autoray_array_new(engine, "float64", 1, &n, result) != AUTORAY_OK) return AUTORAY_FAILED;
  const char* from = autoray_array_data(operands[0]);
  double* to = autoray_array_data(*result);
  for (int64_t i = 0; i < n; ++i) to[i] = *(const double*)(from + i * autoray_array_strides(operands[0])[0]) / 2;
  return AUTORAY_OK;
}

int main(void) {
  double values[] = {1, 2, 4, 8};
  int64_t shape[] = {4};
  autoray_program* program = NULL;
  autoray_array *x = NULL, *results[2] = {NULL, NULL};
  size_t count = 0;
  autoray_engine* engine = autoray_engine_new(NULL);
  if (!engine) return AUTORAY_LIMIT;
  if (autoray_register_function(engine, "numpy", "halve", halve, engine, NULL) != AUTORAY_OK ||
      autoray_load(engine, kScript, "smooth.ar", &program) != AUTORAY_OK || autoray_run(program) != AUTORAY_OK ||
      autoray_array_view(engine, values, "float64", 1, shape, NULL, 1, NULL, NULL, &x) != AUTORAY_OK ||
      autoray_call(program, "smooth", &x, 1, results, 2, &count) != AUTORAY_OK) {
    fputs(autoray_error(engine)->rendered, stderr);
    return (int)autoray_error(engine)->status;
  }
  const double *smooth = autoray_array_data(results[0]), *sum = autoray_array_data(results[1]);
  printf("%zu results: %g %g %g, sum %g\n", count, smooth[0], smooth[1], smooth[2], *sum);

  /* A wrong call says what was wrong. */
  if (autoray_call(program, "smooth", NULL, 0, results, 0, &count) == AUTORAY_FAILED)
    printf("%s\n", autoray_error(engine)->message);

  autoray_array_free(results[0]);
  autoray_array_free(results[1]);
  autoray_array_free(x);
  autoray_program_free(program);
  autoray_engine_free(engine);
  return 0;
}
