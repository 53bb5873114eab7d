// Ctrl-C and deadlines of a running script.
#include "watch.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "command.h"

namespace autoray::tools {
namespace {

// What Ctrl-C and the timer stop. A signal handler can reach nothing else.
struct Running {
  Engine* volatile engine;
  volatile double deadline;  // of the monotonic clock; 0: none
  volatile std::sig_atomic_t printing;
  volatile std::sig_atomic_t last_chance;  // the script was asked to stop at the previous alarm
};
Running running;

// A library's long computation looks at nothing: the process ends without it, this long after it was asked to.
constexpr double kGrace = 0.8;

double now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
void alarm_in(double seconds) {
  itimerval timer{};
  seconds = std::clamp(seconds, 1e-3, 1e8);
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec = static_cast<suseconds_t>((seconds - std::floor(seconds)) * 1e6);
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void on_interrupt(int) {
  if (!running.engine) _exit(kInterrupted);
  running.engine->request_stop(Engine::Stop::Interrupt);
  running.last_chance = 1;
  alarm_in(kGrace);
}
void on_alarm(int) {
  static constexpr char kTimeout[] =
      "autoray: error[E0704]: TimeoutError: the time limit was reached inside a long operation\n";
  static constexpr char kInterrupt[] = "autoray: error[E0705]: KeyboardInterrupt: interrupted inside a long operation\n";
  bool late = running.deadline > 0 && now() >= running.deadline;
  bool deaf = running.engine ? running.last_chance && running.engine->stop_requested() : late;
  if (deaf) {
    if (!running.printing) std::fflush(stdout);
    (void)!write(2, late ? kTimeout : kInterrupt, late ? sizeof kTimeout - 1 : sizeof kInterrupt - 1);
    _exit(late ? kLimit : kInterrupted);
  }
  running.last_chance = late;
  if (late) {
    running.engine->request_stop(Engine::Stop::Timeout);
    alarm_in(kGrace);
  } else if (running.deadline > 0) {
    alarm_in(running.deadline - now());
  }
}
}  // namespace

void watch(double timeout) {
  struct sigaction action{};
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
  if (timeout <= 0) return;
  running.deadline = now() + timeout;
  alarm_in(timeout);
}

Watched::Watched(Engine& engine) { running.engine = &engine; }
Watched::~Watched() { running.engine = nullptr; }

void print_watched(std::string_view text) {
  running.printing = 1;
  if (text.empty())
    std::fflush(stdout);
  else
    std::fwrite(text.data(), 1, text.size(), stdout);
  running.printing = 0;
}

}  // namespace autoray::tools
