// time, sys and typing.
#include <chrono>
#include <limits>
#include <thread>

#include "frontend/modules/module_object.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

double seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }
// What is another at each call is no part of a trace.
void refuse_in_trace(Runtime& runtime, const char* what) {
  if (runtime.captures) runtime.captures->refuse(what);
}
template <class Clock>
Value clock_now(Runtime& runtime, const Arguments&) {
  refuse_in_trace(runtime, "reads the clock");
  return Value::real(seconds(Clock::now().time_since_epoch()));
}
template <class Clock>
Value clock_now_ns(Runtime& runtime, const Arguments&) {
  refuse_in_trace(runtime, "reads the clock");
  return Value::integer(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}
Value process_time(Runtime& runtime, const Arguments&) {
  refuse_in_trace(runtime, "reads the clock");
  return Value::real(static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
}
Value time_sleep(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "sleep", 1, 1);
  refuse_in_trace(runtime, "sleeps");
  double s = real_of(a.positional[0]);
  if (s < 0) throw Error(ErrorClass::ValueError, "sleep length must be non-negative");
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(std::min(s, 1e8));
  while (std::chrono::steady_clock::now() < end) {
    runtime.poll();
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(end - std::chrono::steady_clock::now(), std::chrono::milliseconds(20)));
  }
  return Value::none();
}
constexpr FunctionRow kTime[] = {{"time", clock_now<std::chrono::system_clock>},
                                 {"perf_counter", clock_now<std::chrono::steady_clock>},
                                 {"monotonic", clock_now<std::chrono::steady_clock>},
                                 {"time_ns", clock_now_ns<std::chrono::system_clock>},
                                 {"perf_counter_ns", clock_now_ns<std::chrono::steady_clock>},
                                 {"process_time", process_time},
                                 {"sleep", time_sleep}};

// ---- sys ----

class Stream final : public runtime::NativeObject {
 public:
  explicit Stream(bool error) : error_(error) {}
  std::string native_type() const override { return "TextIOWrapper"; }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    bool error = error_;
    if (name == "write") {
      result = runtime::make_native("write", [error](Runtime& r, const Arguments& a) {
        check_arguments(a, "write", 1, 1);
        const std::string& text = runtime::text_of(a.positional[0], "write() argument");
        if (error) refuse_in_trace(r, "writes to standard error");
        (error ? r.write_stderr : r.write_stdout)(text);
        return Value::integer(a.positional[0].as<runtime::Str>().length);
      });
    } else if (name == "flush") {
      result = runtime::make_native("flush", [error](Runtime& r, const Arguments&) {
        (error ? r.write_stderr : r.write_stdout)({});
        return Value::none();
      });
    } else {
      return false;
    }
    return true;
  }

 private:
  bool error_;
};
class FloatInfo final : public runtime::NativeObject {
 public:
  std::string native_type() const override { return "sys.float_info"; }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    using L = std::numeric_limits<double>;
    if (name == "max")
      result = Value::real(L::max());
    else if (name == "min")
      result = Value::real(L::min());
    else if (name == "epsilon")
      result = Value::real(L::epsilon());
    else if (name == "dig")
      result = Value::integer(15);
    else if (name == "mant_dig")
      result = Value::integer(53);
    else if (name == "max_exp")
      result = Value::integer(L::max_exponent);
    else if (name == "min_exp")
      result = Value::integer(L::min_exponent);
    else if (name == "max_10_exp")
      result = Value::integer(L::max_exponent10);
    else if (name == "min_10_exp")
      result = Value::integer(L::min_exponent10);
    else if (name == "radix")
      result = Value::integer(L::radix);
    else if (name == "rounds")
      result = Value::integer(1);
    else
      return false;
    return true;
  }
};
Value sys_exit(Runtime&, const Arguments& a) {
  throw runtime::Raised{
      make<runtime::Exception>(ErrorClass::SystemExit, std::vector<Value>(a.positional.begin(), a.positional.end()))};
}
constexpr FunctionRow kSys[] = {{"exit", sys_exit}};
Value find_sys(Runtime& runtime, std::string_view name) {
  if (name == "argv") {
    Value& argv = runtime.language_objects["sys.argv"];
    if (argv.empty()) argv = runtime::make_list();
    return argv;
  }
  if (name == "stdout") return make<Stream>(false);
  if (name == "stderr") return make<Stream>(true);
  if (name == "maxsize") return Value::integer(INT64_MAX);
  if (name == "float_info") return make<FloatInfo>();
  if (name == "byteorder") return runtime::make_str("little");
  if (name == "platform") return runtime::make_str("linux");
  if (name == "version_info") return runtime::make_tuple({Value::integer(3), Value::integer(11), Value::integer(0)});
  return find_function(kSys, name);
}

// ---- typing: names without effect ----

class TypingName final : public runtime::NativeObject {
 public:
  explicit TypingName(std::string n) : name_(std::move(n)) {}
  std::string native_type() const override { return "typing"; }
  std::string repr() const override { return "typing." + name_; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  bool get_item(Runtime&, const Value&, Value& result) override {
    result = runtime::Ref<TypingName>::share(this);
    return true;
  }

 private:
  std::string name_;
};
Value find_typing(Runtime&, std::string_view name) {
  return name.starts_with("__") ? Value() : Value(make<TypingName>(std::string(name)));
}

}  // namespace

Value make_time_module(Runtime&) { return make<ModuleObject>("time", find_rows<kTime>, names_of<kTime>); }
Value make_sys_module(Runtime&) { return make<ModuleObject>("sys", find_sys, names_of<kSys>); }
Value make_typing_module(Runtime&) { return make<ModuleObject>("typing", find_typing); }

}  // namespace autoray::frontend
