// What every hand-written peer needs: its operands from a file, its result into one, and the time of a call.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

// Of this process, as Python's time.process_time.
inline double now() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// The least of samples of 500 us or a call, for 0.3 s, as scripts are timed (measure.py).
template <class Call>
double seconds_of_call(Call call) {
  call();
  long calls = 1;
  for (;;) {
    double begin = now();
    for (long i = 0; i < calls; ++i) call();
    if (now() - begin > 5e-4) break;
    calls *= 2;
  }
  std::vector<double> samples;
  for (double end = now() + 0.3; samples.size() < 5 || now() < end;) {
    double begin = now();
    for (long i = 0; i < calls; ++i) call();
    samples.push_back((now() - begin) / static_cast<double>(calls));
  }
  return *std::min_element(samples.begin(), samples.end());
}

template <class T>
std::vector<T> read_file(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (!file) std::exit(1);
  std::fseek(file, 0, SEEK_END);
  std::vector<T> values(static_cast<std::size_t>(std::ftell(file)) / sizeof(T));
  std::rewind(file);
  if (std::fread(values.data(), sizeof(T), values.size(), file) != values.size()) std::exit(1);
  std::fclose(file);
  return values;
}

template <class T>
void write_file(const char* path, const std::vector<T>& values) {
  std::FILE* file = std::fopen(path, "wb");
  if (!file || std::fwrite(values.data(), sizeof(T), values.size(), file) != values.size() || std::fclose(file)) std::exit(1);
}
