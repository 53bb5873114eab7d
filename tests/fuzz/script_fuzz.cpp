// Any bytes as a script, run for a moment with little memory: it ends, with a result or autoray::Error.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

#include "autoray/engine.h"

using namespace autoray;

namespace {

// Stops the engine that runs when its time is over.
class Watch {
 public:
  Watch() : thread_([this] { loop(); }) { thread_.detach(); }
  void start(Engine& engine) {
    std::lock_guard lock(mutex_);
    engine_ = &engine;
    deadline_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  }
  void stop() {
    std::lock_guard lock(mutex_);
    engine_ = nullptr;
  }

 private:
  void loop() {
    for (;;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      std::lock_guard lock(mutex_);
      if (engine_ && std::chrono::steady_clock::now() > deadline_) engine_->request_stop(Engine::Stop::Timeout);
    }
  }
  std::mutex mutex_;
  Engine* engine_ = nullptr;
  std::chrono::steady_clock::time_point deadline_;
  std::thread thread_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  // No files: they would lie about in the working directory.
  for (std::string_view word : {"save", "tofile", "import helper", "stdin"})
    if (text.find(word) != std::string::npos) return 0;
  static auto* watch = new Watch;
  EngineOptions options;
  options.backend = size % 2 ? "numpy" : "eigen";
  options.max_memory = 32 << 20;
  options.write_stdout = options.write_stderr = [](std::string_view) {};
  Engine engine(options);
  try {
    Program program = engine.load(std::move(text));
    watch->start(engine);
    program.run();
  } catch (const Error& error) {
    watch->stop();
    if (error.diagnostic().status == 70 || error.diagnostic().code == "E0901") std::abort();
  }
  watch->stop();
  return 0;
}
