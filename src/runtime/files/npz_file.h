// What np.load gives for an .npz: a mapping from names to arrays that reads a member each time it is asked
// for.
#pragma once

#include <memory>

#include "runtime/files/npy.h"
#include "runtime/objects.h"

namespace autoray::runtime {

class NpzFile final : public NativeObject {
 public:
  NpzFile(const std::string& path, std::int64_t max_header_size);

  std::string native_type() const override { return "NpzFile"; }
  std::string repr() const override;
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override;
  bool get_item(Runtime& runtime, const Value& key, Value& result) override;
  bool contains(Runtime& runtime, const Value& key, bool& result) override;
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(names_.size()); }
  bool iterate(Runtime& runtime, Value& result) override;
  bool is_context_manager() const override { return true; }
  Value enter(Runtime& runtime) override;
  bool exit(Runtime& runtime, const Value& exception) override;

  Value read(Runtime& runtime, std::size_t member);
  // The member of this name, with or without ".npy"; -1 when there is none.
  std::int64_t find(std::string_view name) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::string path_;
  std::int64_t max_header_size_;
  std::unique_ptr<NpzReader> reader_;  // null once closed
  std::vector<std::string> names_;     // without ".npy"
  std::vector<std::string> members_;
};

}  // namespace autoray::runtime
