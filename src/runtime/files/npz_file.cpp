#include "runtime/files/npz_file.h"

#include "ir/error.h"

namespace autoray::runtime {
namespace {

using ir::Error;
using ir::ErrorClass;

// Names, arrays or pairs, in the archive's order; arrays are read as the loop comes to them.
class NpzIterator final : public Iterator {
 public:
  enum class What { Names, Arrays, Items };
  NpzIterator(Ref<NpzFile> file, What what) : file_(std::move(file)), what_(what) {}
  bool advance(Runtime& runtime, Value& result) override {
    if (!file_ || at_ >= file_->names().size()) return false;
    std::size_t member = at_++;
    Value name = make_str(file_->names()[member]);
    if (what_ == What::Names) {
      result = std::move(name);
    } else if (what_ == What::Arrays) {
      result = file_->read(runtime, member);
    } else {
      result = make_tuple({std::move(name), file_->read(runtime, member)});
    }
    return true;
  }
  void clear() override { file_ = nullptr; }

 private:
  Ref<NpzFile> file_;
  What what_;
  std::size_t at_ = 0;
};

}  // namespace

NpzFile::NpzFile(const std::string& path, std::int64_t max_header_size)
    : path_(path), max_header_size_(max_header_size), reader_(std::make_unique<NpzReader>(path)) {
  members_ = reader_->members();
  for (std::string name : members_) {
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    names_.push_back(std::move(name));
  }
}

std::string NpzFile::repr() const {
  // numpy names the first five.
  std::string keys;
  for (std::size_t i = 0; i < names_.size() && i < 5; ++i) keys += (i ? ", " : "") + names_[i];
  if (names_.size() > 5) keys += "...";
  return "NpzFile '" + (reader_ ? path_ : "object") + "' with keys: " + keys;
}

std::int64_t NpzFile::find(std::string_view name) const {
  // Of two members with one name the last one counts.
  for (std::size_t i = members_.size(); i-- > 0;)
    if (members_[i] == name) return static_cast<std::int64_t>(i);
  for (std::size_t i = names_.size(); i-- > 0;)
    if (names_[i] == name) return static_cast<std::int64_t>(i);
  return -1;
}

Value NpzFile::read(Runtime& runtime, std::size_t member) {
  if (!reader_) throw Error(ErrorClass::ValueError, "the archive '" + path_ + "' is closed");
  if (!reader_->is_array(member)) return make<Bytes>(reader_->read_bytes(runtime, member));
  return make_array(reader_->read_array(runtime, member, max_header_size_));
}

bool NpzFile::get_item(Runtime& runtime, const Value& key, Value& result) {
  auto* name = key.get_if<Str>();
  std::int64_t member = name ? find(name->text) : -1;
  if (member < 0) {
    std::string shown = name ? name->text : key.is_int() ? std::to_string(key.as_int()) : "this " + type_name(key);
    throw Error(ErrorClass::KeyError, shown + " is not a file in the archive");
  }
  result = read(runtime, static_cast<std::size_t>(member));
  return true;
}

bool NpzFile::contains(Runtime&, const Value& key, bool& result) {
  auto* name = key.get_if<Str>();
  result = name && find(name->text) >= 0;
  return true;
}

bool NpzFile::iterate(Runtime&, Value& result) {
  result = make<NpzIterator>(Ref<NpzFile>::share(this), NpzIterator::What::Names);
  return true;
}

Value NpzFile::enter(Runtime&) { return Ref<NpzFile>::share(this); }

bool NpzFile::exit(Runtime&, const Value&) {
  reader_.reset();
  return false;
}

bool NpzFile::get_attribute(Runtime&, std::string_view name, Value& result) {
  auto self = Ref<NpzFile>::share(this);
  if (name == "files") {
    std::vector<Value> names;
    for (const std::string& member : names_) names.push_back(make_str(member));
    result = make_list(std::move(names));
    return true;
  }
  auto none = [](std::string_view function, const Arguments& arguments) {
    if (arguments.size())
      throw Error(ErrorClass::TypeError, "NpzFile." + std::string(function) + "() takes 1 positional argument but " +
                                             std::to_string(arguments.size() + 1) + " were given");
  };
  struct View {
    std::string_view name;
    NpzIterator::What what;
  };
  static constexpr View kViews[] = {
      {"keys", NpzIterator::What::Names}, {"values", NpzIterator::What::Arrays}, {"items", NpzIterator::What::Items}};
  for (const View& view : kViews) {
    if (view.name != name) continue;
    result = make_native(std::string(name), [self, view, none](Runtime&, const Arguments& arguments) -> Value {
      none(view.name, arguments);
      return make<NpzIterator>(self, view.what);
    });
    return true;
  }
  if (name == "close") {
    result = make_native("close", [self, none](Runtime&, const Arguments& arguments) {
      none("close", arguments);
      self->reader_.reset();
      return Value::none();
    });
    return true;
  }
  if (name == "get") {
    result = make_native("get", [self](Runtime& runtime, const Arguments& arguments) {
      if (arguments.positional.empty() || arguments.positional.size() > 2 || !arguments.keyword_names.empty())
        throw Error(ErrorClass::TypeError, "get() takes a name and a default");
      auto* key = arguments.positional[0].get_if<Str>();
      std::int64_t member = key ? self->find(key->text) : -1;
      if (member >= 0) return self->read(runtime, static_cast<std::size_t>(member));
      return arguments.positional.size() == 2 ? arguments.positional[1] : Value::none();
    });
    return true;
  }
  return false;
}

std::vector<std::string> NpzFile::attribute_names() const { return {"files", "keys", "values", "items", "get", "close"}; }

}  // namespace autoray::runtime
