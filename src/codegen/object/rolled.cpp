#include "codegen/object/rolled.h"

namespace autoray::codegen::object {
namespace {

// A turn of a loop is at most so many steps.
constexpr std::uint32_t kLongestPeriod = 64;

class Rolling {
 public:
  explicit Rolling(const Function& f) : f_(f), count_(static_cast<std::uint32_t>(f.steps.size())) {}

  // How many turns of `period` steps begin at `first`.
  std::uint32_t turns(std::uint32_t first, std::uint32_t period) const {
    std::uint32_t n = 1;
    while (first + (n + 1) * period <= count_ && turn_follows(first, period, n)) ++n;
    return n;
  }

 private:
  bool turn_follows(std::uint32_t first, std::uint32_t period, std::uint32_t n) const {
    for (std::uint32_t k = 0; k < period; ++k)
      if (!follows(first + k, first + period + k, first + n * period + k, n)) return false;
    return true;
  }
  // Step `c` is what step `a` is after n turns, where step `b` is what it is after one.
  bool follows(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::int64_t n) const {
    const Step &x = f_.steps[a], &y = f_.steps[b], &z = f_.steps[c];
    if (x.kernel != z.kernel) return false;
    const Kernel& kernel = f_.kernels[x.kernel];
    for (std::size_t i = 0; i < kernel.buffers.size(); ++i) {
      const Buffer &p = f_.buffers[x.first_buffer + i], &q = f_.buffers[y.first_buffer + i],
                   &r = f_.buffers[z.first_buffer + i];
      if (p.base != r.base || r.offset - p.offset != n * (q.offset - p.offset)) return false;
    }
    for (std::size_t i = 0; i < kernel.arguments; ++i) {
      std::int64_t p = f_.numbers[x.first_number + i], q = f_.numbers[y.first_number + i], r = f_.numbers[z.first_number + i];
      if (r - p != n * (q - p)) return false;
    }
    return true;
  }

  const Function& f_;
  std::uint32_t count_;
};

}  // namespace

std::vector<Repeated> roll(const Function& f) {
  Rolling rolling(f);
  std::vector<Repeated> list;
  auto steps = static_cast<std::uint32_t>(f.steps.size());
  for (std::uint32_t at = 0; at < steps;) {
    Repeated best{at, 1, 1};
    // The most turns make the shortest table; of two turns only, which any two steps are, the longest.
    for (std::uint32_t period = 1; period <= kLongestPeriod && at + 2 * period <= steps; ++period) {
      if (f.steps[at].kernel != f.steps[at + period].kernel) continue;
      std::uint32_t count = rolling.turns(at, period);
      if (count > best.count || (count == 2 && best.count == 2)) best = {at, period, count};
    }
    list.push_back(best);
    at += best.period * best.count;
  }
  return list;
}

}  // namespace autoray::codegen::object
