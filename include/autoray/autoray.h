/* autoray for C programs, and for languages that call C.
 *
 *   autoray_engine* engine = autoray_engine_new(NULL);
 *   autoray_program* program;
 *   if (autoray_load(engine, "def f(x):\n    return x * 2 + 1\n", "f.ar", &program) != AUTORAY_OK ||
 *       autoray_run(program) != AUTORAY_OK)
 *     fputs(autoray_error(engine)->rendered, stderr);
 *
 * Handles are opaque; each has one function that frees it, which takes NULL too. Programs and arrays keep their engine alive.
 * One thread uses an engine at a time; engines are independent of each other. autoray_request_stop alone may be called from any
 * thread and from signal handlers. No function lets a C++ exception out.
 */
#ifndef AUTORAY_AUTORAY_H
#define AUTORAY_AUTORAY_H

#include <stddef.h>
#include <stdint.h>

#include "autoray/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct autoray_engine autoray_engine;
typedef struct autoray_program autoray_program;
typedef struct autoray_array autoray_array;
typedef struct autoray_compiled autoray_compiled;

/* The exit statuses of the command line. */
typedef enum autoray_status {
  AUTORAY_OK = 0,
  AUTORAY_FAILED = 1,    /* the script, or the operation, raised */
  AUTORAY_USAGE = 2,     /* an argument of the call makes no sense */
  AUTORAY_INVALID = 3,   /* the text is no program */
  AUTORAY_LIMIT = 5,     /* memory or time */
  AUTORAY_INTERNAL = 70, /* a fault of ours */
  AUTORAY_INTERRUPTED = 130
} autoray_status;

/* What went wrong in the last call that gave another status than AUTORAY_OK; texts are valid until the engine's next call. */
typedef struct autoray_diagnostic {
  autoray_status status;
  const char* code;    /* "E0401" */
  const char* message; /* "ValueError: operands could not be broadcast together with shapes (3,) (4,)" */
  const char* file;
  int32_t line, column; /* from 1; 0: no place */
  const char* hint;     /* "" without */
  const char* rendered; /* as the command line prints it */
} autoray_diagnostic;

/* ---- engines ---- */

typedef void (*autoray_write)(void* context, const char* text, size_t size); /* size 0: flush */

typedef struct autoray_options {
  size_t size;                /* sizeof(autoray_options): later versions add fields at the end */
  const char* backend;        /* "numpy" or "eigen"; NULL: numpy */
  int64_t max_memory;         /* bytes of all live arrays together; 0 or less: no limit */
  autoray_write write_stdout; /* the scripts' print; NULL: standard output */
  autoray_write write_stderr;
  void* context; /* given to both */
} autoray_options;

/* NULL options: the defaults. NULL only without memory: where the options make no sense there is an engine whose calls all fail
 * with AUTORAY_USAGE, so that autoray_error can say why. */
AUTORAY_API autoray_engine* autoray_engine_new(const autoray_options* options);
AUTORAY_API void autoray_engine_free(autoray_engine* engine);
/* NULL when the last call went well. */
AUTORAY_API const autoray_diagnostic* autoray_error(const autoray_engine* engine);
/* The running script stops with AUTORAY_INTERRUPTED, or AUTORAY_LIMIT when `timeout` is not 0. Async-signal-safe. */
AUTORAY_API void autoray_request_stop(autoray_engine* engine, int timeout);
AUTORAY_API const char* autoray_version(void); /* "0.1.0" */

/* ---- arrays ---- */

/* A view on the caller's memory: nothing is copied. `strides` in bytes, NULL: C order. `release`, when not NULL, is called
 * once, when nothing uses the memory any more. dtype: numpy's name ("float64"). AUTORAY_USAGE for a negative extent, for a NULL
 * pointer with elements, or an unknown dtype. */
AUTORAY_API autoray_status autoray_array_view(autoray_engine* engine, void* data, const char* dtype, int32_t ndim,
                                              const int64_t* shape, const int64_t* strides, int writable,
                                              void (*release)(void* context), void* context, autoray_array** array);
/* A C-contiguous array of uninitialised elements. */
AUTORAY_API autoray_status autoray_array_new(autoray_engine* engine, const char* dtype, int32_t ndim, const int64_t* shape,
                                             autoray_array** array);
AUTORAY_API void autoray_array_free(autoray_array* array);
AUTORAY_API const char* autoray_array_dtype(const autoray_array* array);
AUTORAY_API int32_t autoray_array_ndim(const autoray_array* array);
AUTORAY_API const int64_t* autoray_array_shape(const autoray_array* array);
AUTORAY_API const int64_t* autoray_array_strides(const autoray_array* array); /* bytes */
AUTORAY_API int64_t autoray_array_size(const autoray_array* array);           /* elements */
AUTORAY_API void* autoray_array_data(const autoray_array* array);             /* the first element */

/* ---- programs ---- */

/* Parses and resolves; AUTORAY_INVALID when the text is no program. `name` is what messages call it. */
AUTORAY_API autoray_status autoray_load(autoray_engine* engine, const char* text, const char* name, autoray_program** program);
AUTORAY_API autoray_status autoray_run(autoray_program* program);
/* Calls a function of the script. A tuple or list of arrays gives several results; *result_count is their number, and results
 * beyond `capacity` are dropped. Each result is the caller's to free. */
AUTORAY_API autoray_status autoray_call(autoray_program* program, const char* function, autoray_array* const* arguments,
                                        size_t argument_count, autoray_array** results, size_t capacity, size_t* result_count);
/* The same into arrays of the caller's, which must have the results' dtypes and shapes; untouched when the call fails. */
AUTORAY_API autoray_status autoray_call_into(autoray_program* program, const char* function, autoray_array* const* arguments,
                                             size_t argument_count, autoray_array* const* outputs, size_t output_count);
AUTORAY_API void autoray_program_free(autoray_program* program);

/* A function of the script as native code: the first call with arguments of a kind (dtypes, shapes, strides) compiles. */
AUTORAY_API autoray_status autoray_compile(autoray_program* program, const char* function, autoray_compiled** compiled);
AUTORAY_API autoray_status autoray_compiled_call(autoray_compiled* compiled, autoray_array* const* arguments,
                                                 size_t argument_count, autoray_array** results, size_t capacity,
                                                 size_t* result_count);
/* Results are computed in the outputs' memory when those are in C order and overlap with nothing. */
AUTORAY_API autoray_status autoray_compiled_call_into(autoray_compiled* compiled, autoray_array* const* arguments,
                                                      size_t argument_count, autoray_array* const* outputs,
                                                      size_t output_count);
AUTORAY_API void autoray_compiled_free(autoray_compiled* compiled);

/* ---- operations ---- */

/* do(op, *operands) on the engine's backend. */
AUTORAY_API autoray_status autoray_do(autoray_engine* engine, const char* op, autoray_array* const* operands,
                                      size_t operand_count, autoray_array** result);

/* Computes *result of operands that it borrows. Another status than AUTORAY_OK is the script's RuntimeError with the text that
 * it left in `message` (at most `size` bytes, ended by 0). */
typedef autoray_status (*autoray_function)(void* context, autoray_array* const* operands, size_t operand_count,
                                           autoray_array** result, char* message, size_t size);
/* Registers a function for `do(name, ...)` on a backend. `release`, when not NULL, is called with the context in the end. */
AUTORAY_API autoray_status autoray_register_function(autoray_engine* engine, const char* backend, const char* name,
                                                     autoray_function function, void* context, void (*release)(void* context));

#ifdef __cplusplus
}
#endif

#endif
