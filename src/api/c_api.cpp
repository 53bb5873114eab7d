// The C ABI over the C++ API: handles, statuses, and no exception past this file.
#include "autoray/autoray.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "autoray/engine.h"

namespace {

using autoray::Array;
using autoray::Diagnostic;

// What an engine's handle, its programs and its arrays share.
struct Shared {
  std::optional<autoray::Engine> engine;
  Diagnostic diagnostic;
  autoray_diagnostic view{};
  bool failed = false;
};

Diagnostic usage(std::string message) {
  Diagnostic d;
  d.message = std::move(message);
  d.rendered = "autoray: error: " + d.message + "\n";
  d.status = AUTORAY_USAGE;
  return d;
}

autoray_status fail(Shared& shared, Diagnostic diagnostic) {
  shared.diagnostic = std::move(diagnostic);
  const Diagnostic& d = shared.diagnostic;
  shared.view = {static_cast<autoray_status>(d.status),
                 d.code.c_str(),
                 d.message.c_str(),
                 d.file.c_str(),
                 d.line,
                 d.column,
                 d.hint.c_str(),
                 d.rendered.c_str()};
  shared.failed = true;
  return shared.view.status;
}

// Runs the body of a call: what it throws becomes the engine's diagnostic.
template <class Body>
autoray_status guarded(const std::shared_ptr<Shared>& shared, Body body) {
  if (!shared->engine) return shared->view.status;
  shared->failed = false;
  try {
    body(*shared->engine);
    return AUTORAY_OK;
  } catch (const autoray::Error& error) {
    Diagnostic d = error.diagnostic();
    if (d.status == 0) d.status = AUTORAY_FAILED;  // sys.exit(0) in a called function: there is no result
    return fail(*shared, std::move(d));
  } catch (const std::bad_alloc&) {
    Diagnostic d = usage("MemoryError: out of memory");
    d.status = AUTORAY_LIMIT;
    return fail(*shared, std::move(d));
  } catch (const std::invalid_argument& error) {
    return fail(*shared, usage(error.what()));
  } catch (const std::exception& error) {
    Diagnostic d = usage(error.what());
    d.status = AUTORAY_INTERNAL;
    return fail(*shared, std::move(d));
  }
}

void require(bool good, const char* what) {
  if (!good) throw std::invalid_argument(what);
}

}  // namespace

struct autoray_engine {
  std::shared_ptr<Shared> shared;
};
struct autoray_program {
  std::shared_ptr<Shared> shared;
  autoray::Program program;
};
struct autoray_compiled {
  std::shared_ptr<Shared> shared;
  autoray::CompiledFunction function;
};
struct autoray_array {
  std::shared_ptr<Shared> shared;
  Array array;
  std::vector<std::int64_t> shape, strides;
  std::string dtype;
};

namespace {

autoray_array* new_array(const std::shared_ptr<Shared>& shared, Array array) {
  auto handle = std::make_unique<autoray_array>();
  handle->shared = shared;
  handle->shape = array.shape();
  handle->strides = array.strides();
  handle->dtype = array.dtype();
  handle->array = std::move(array);
  return handle.release();
}

std::vector<std::int64_t> extents(std::int32_t ndim, const std::int64_t* shape) {
  require(ndim >= 0 && (ndim == 0 || shape), "an array needs a shape");
  std::vector<std::int64_t> result(shape, shape + ndim);
  require(std::all_of(result.begin(), result.end(), [](std::int64_t n) { return n >= 0; }), "an extent is negative");
  return result;
}

std::vector<Array> arrays(autoray_array* const* handles, std::size_t count) {
  require(handles || count == 0, "the arguments are NULL");
  std::vector<Array> list;
  for (std::size_t i = 0; i < count; ++i) {
    require(handles[i] != nullptr, "an argument is NULL");
    list.push_back(handles[i]->array);
  }
  return list;
}

// New handles of the first `capacity` values, all or none.
void give(const std::shared_ptr<Shared>& shared, std::vector<Array> values, autoray_array** results, std::size_t capacity,
          std::size_t* result_count) {
  std::size_t kept = std::min(capacity, values.size());
  std::vector<std::unique_ptr<autoray_array>> handles;
  for (std::size_t i = 0; i < kept; ++i) handles.emplace_back(new_array(shared, std::move(values[i])));
  for (std::size_t i = 0; i < kept; ++i) results[i] = handles[i].release();
  if (result_count) *result_count = values.size();
}

}  // namespace

// ---- engines ----

autoray_engine* autoray_engine_new(const autoray_options* options) {
  try {
    auto handle = std::make_unique<autoray_engine>();
    handle->shared = std::make_shared<Shared>();
    autoray::EngineOptions o;
    if (options) {
      autoray_options known{};
      std::memcpy(&known, options, std::min(options->size, sizeof known));
      if (known.backend) o.backend = known.backend;
      if (known.max_memory > 0) o.max_memory = known.max_memory;
      auto writer = [context = known.context](autoray_write write) {
        return [write, context](std::string_view text) { write(context, text.data(), text.size()); };
      };
      if (known.write_stdout) o.write_stdout = writer(known.write_stdout);
      if (known.write_stderr) o.write_stderr = writer(known.write_stderr);
    }
    try {
      handle->shared->engine.emplace(std::move(o));
    } catch (const autoray::Error& error) {
      Diagnostic d = error.diagnostic();
      d.status = AUTORAY_USAGE;
      fail(*handle->shared, std::move(d));
    }
    return handle.release();
  } catch (const std::exception&) {
    return nullptr;
  }
}
void autoray_engine_free(autoray_engine* engine) { delete engine; }
const autoray_diagnostic* autoray_error(const autoray_engine* engine) {
  return engine && engine->shared->failed ? &engine->shared->view : nullptr;
}
void autoray_request_stop(autoray_engine* engine, int timeout) {
  if (engine && engine->shared->engine)
    engine->shared->engine->request_stop(timeout ? autoray::Engine::Stop::Timeout : autoray::Engine::Stop::Interrupt);
}
const char* autoray_version(void) { return AUTORAY_VERSION; }

// ---- arrays ----

autoray_status autoray_array_view(autoray_engine* engine, void* data, const char* dtype, std::int32_t ndim,
                                  const std::int64_t* shape, const std::int64_t* strides, int writable,
                                  void (*release)(void* context), void* context, autoray_array** array) {
  if (!engine) return AUTORAY_USAGE;
  return guarded(engine->shared, [&](autoray::Engine&) {
    require(array && dtype, "the result or the dtype is NULL");
    std::vector<std::int64_t> extent = extents(ndim, shape);
    bool empty = std::find(extent.begin(), extent.end(), 0) != extent.end();
    require(data || empty, "the data of an array with elements is NULL");
    std::vector<std::int64_t> steps;
    if (strides) steps.assign(strides, strides + ndim);
    std::function<void()> on_release;
    if (release) on_release = [release, context] { release(context); };
    *array = new_array(engine->shared, Array::view(data, dtype, extent, steps, writable != 0, std::move(on_release)));
  });
}
autoray_status autoray_array_new(autoray_engine* engine, const char* dtype, std::int32_t ndim, const std::int64_t* shape,
                                 autoray_array** array) {
  if (!engine) return AUTORAY_USAGE;
  return guarded(engine->shared, [&](autoray::Engine&) {
    require(array && dtype, "the result or the dtype is NULL");
    *array = new_array(engine->shared, Array::make(dtype, extents(ndim, shape)));
  });
}
void autoray_array_free(autoray_array* array) { delete array; }
const char* autoray_array_dtype(const autoray_array* array) { return array->dtype.c_str(); }
std::int32_t autoray_array_ndim(const autoray_array* array) { return static_cast<std::int32_t>(array->shape.size()); }
const std::int64_t* autoray_array_shape(const autoray_array* array) { return array->shape.data(); }
const std::int64_t* autoray_array_strides(const autoray_array* array) { return array->strides.data(); }
std::int64_t autoray_array_size(const autoray_array* array) { return array->array.size(); }
void* autoray_array_data(const autoray_array* array) { return Array(array->array).data(); }

// ---- programs ----

autoray_status autoray_load(autoray_engine* engine, const char* text, const char* name, autoray_program** program) {
  if (!engine) return AUTORAY_USAGE;
  return guarded(engine->shared, [&](autoray::Engine& e) {
    require(text && program, "the text or the result is NULL");
    auto handle = std::make_unique<autoray_program>();
    handle->shared = engine->shared;
    handle->program = e.load(text, name ? name : "<script>");
    *program = handle.release();
  });
}
autoray_status autoray_run(autoray_program* program) {
  if (!program) return AUTORAY_USAGE;
  return guarded(program->shared, [&](autoray::Engine&) {
    if (int status = program->program.run()) {
      Diagnostic d = usage("SystemExit: " + std::to_string(status));
      d.status = AUTORAY_FAILED;
      throw autoray::Error(std::move(d));
    }
  });
}
void autoray_program_free(autoray_program* program) { delete program; }

autoray_status autoray_call(autoray_program* program, const char* function, autoray_array* const* arguments,
                            std::size_t argument_count, autoray_array** results, std::size_t capacity,
                            std::size_t* result_count) {
  if (!program) return AUTORAY_USAGE;
  return guarded(program->shared, [&](autoray::Engine&) {
    require(function && (results || capacity == 0), "the function's name or the results are NULL");
    give(program->shared, program->program.call_arrays(function, arrays(arguments, argument_count)), results, capacity,
         result_count);
  });
}
autoray_status autoray_call_into(autoray_program* program, const char* function, autoray_array* const* arguments,
                                 std::size_t argument_count, autoray_array* const* outputs, std::size_t output_count) {
  if (!program) return AUTORAY_USAGE;
  return guarded(program->shared, [&](autoray::Engine&) {
    require(function != nullptr, "the function's name is NULL");
    program->program.call_into(function, arrays(arguments, argument_count), arrays(outputs, output_count));
  });
}

autoray_status autoray_compile(autoray_program* program, const char* function, autoray_compiled** compiled) {
  if (!program) return AUTORAY_USAGE;
  return guarded(program->shared, [&](autoray::Engine&) {
    require(function && compiled, "the function's name or the result is NULL");
    auto handle = std::make_unique<autoray_compiled>();
    handle->shared = program->shared;
    handle->function = program->program.jit(function);
    *compiled = handle.release();
  });
}
autoray_status autoray_compiled_call(autoray_compiled* compiled, autoray_array* const* arguments, std::size_t argument_count,
                                     autoray_array** results, std::size_t capacity, std::size_t* result_count) {
  if (!compiled) return AUTORAY_USAGE;
  return guarded(compiled->shared, [&](autoray::Engine&) {
    require(results || capacity == 0, "the results are NULL");
    give(compiled->shared, compiled->function.call(arrays(arguments, argument_count)), results, capacity, result_count);
  });
}
autoray_status autoray_compiled_call_into(autoray_compiled* compiled, autoray_array* const* arguments,
                                          std::size_t argument_count, autoray_array* const* outputs, std::size_t output_count) {
  if (!compiled) return AUTORAY_USAGE;
  return guarded(compiled->shared, [&](autoray::Engine&) {
    compiled->function.into(arrays(outputs, output_count), arrays(arguments, argument_count));
  });
}
void autoray_compiled_free(autoray_compiled* compiled) { delete compiled; }

// ---- operations ----

autoray_status autoray_do(autoray_engine* engine, const char* op, autoray_array* const* operands, std::size_t operand_count,
                          autoray_array** result) {
  if (!engine) return AUTORAY_USAGE;
  return guarded(engine->shared, [&](autoray::Engine& e) {
    require(op && result, "the operation's name or the result is NULL");
    *result = new_array(engine->shared, e.call(op, arrays(operands, operand_count)));
  });
}

autoray_status autoray_register_function(autoray_engine* engine, const char* backend, const char* name,
                                         autoray_function function, void* context, void (*release)(void* context)) {
  if (!engine) return AUTORAY_USAGE;
  return guarded(engine->shared, [&](autoray::Engine& e) {
    require(backend && name && function, "the backend, the name or the function is NULL");
    // The engine holds the function: it must not hold the engine in turn.
    std::weak_ptr<Shared> shared = engine->shared;
    std::shared_ptr<void> kept(context, [release](void* c) {
      if (release) release(c);
    });
    e.register_function(backend, name, [shared, function, kept](autoray::Span<const Array> operands) {
      std::vector<std::unique_ptr<autoray_array>> handles;
      std::vector<autoray_array*> borrowed;
      for (const Array& operand : operands) {
        handles.emplace_back(new_array(shared.lock(), operand));
        borrowed.push_back(handles.back().get());
      }
      char message[512] = "";
      autoray_array* result = nullptr;
      autoray_status status = function(kept.get(), borrowed.data(), borrowed.size(), &result, message, sizeof message);
      std::unique_ptr<autoray_array> owned(result);
      if (status != AUTORAY_OK) throw std::runtime_error(message[0] ? message : "the registered function failed");
      if (!owned) throw std::runtime_error("the registered function gave no result");
      return owned->array;
    });
  });
}
