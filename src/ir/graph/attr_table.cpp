#include "ir/graph/attr_table.h"

#include <cstring>

#include "ir/error.h"

namespace autoray::ir {
namespace {

enum Tag : char { kNone_, kFalse, kTrue, kInt, kFloat, kComplex_, kString, kDType, kDims, kTuple, kSlice, kEllipsis, kOperand };

void put_unsigned(std::string& out, std::uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out.push_back(static_cast<char>(v));
}
// Small magnitudes of either sign take one byte.
void put_int(std::string& out, std::int64_t v) {
  put_unsigned(out, (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
}
template <class T>
void put_raw(std::string& out, const T& v) {
  char bytes[sizeof v];
  std::memcpy(bytes, &v, sizeof v);
  out.append(bytes, sizeof v);
}

void put(std::string& out, const Attr& attr) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          out.push_back(kNone_);
        } else if constexpr (std::is_same_v<T, bool>) {
          out.push_back(v ? kTrue : kFalse);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          out.push_back(kInt);
          put_int(out, v);
        } else if constexpr (std::is_same_v<T, double>) {
          out.push_back(kFloat);
          put_raw(out, v);
        } else if constexpr (std::is_same_v<T, std::complex<double>>) {
          out.push_back(kComplex_);
          put_raw(out, v.real());
          put_raw(out, v.imag());
        } else if constexpr (std::is_same_v<T, std::string>) {
          out.push_back(kString);
          put_unsigned(out, v.size());
          out.append(v);
        } else if constexpr (std::is_same_v<T, DType>) {
          out.push_back(kDType);
          out.push_back(static_cast<char>(v));
        } else if constexpr (std::is_same_v<T, Dims>) {
          out.push_back(kDims);
          put_unsigned(out, v.size());
          for (std::int64_t d : v) put_int(out, d);
        } else if constexpr (std::is_same_v<T, Attr::Tuple>) {
          out.push_back(kTuple);
          put_unsigned(out, v.size());
          for (const Attr& item : v) put(out, item);
        } else if constexpr (std::is_same_v<T, Slice>) {
          out.push_back(kSlice);
          out.push_back(static_cast<char>((v.start ? 1 : 0) | (v.stop ? 2 : 0) | (v.step ? 4 : 0)));
          for (const auto& part : {v.start, v.stop, v.step})
            if (part) put_int(out, *part);
        } else if constexpr (std::is_same_v<T, Ellipsis>) {
          out.push_back(kEllipsis);
        } else {
          static_assert(std::is_same_v<T, OperandRef>);
          out.push_back(kOperand);
          put_int(out, v.operand);
        }
      },
      attr.value);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}
  bool done() const { return at_ == end_; }
  Attr next() {
    switch (byte()) {
      case kNone_: return {};
      case kFalse: return false;
      case kTrue: return true;
      case kInt: return integer();
      case kFloat: return raw();
      case kComplex_: {
        double real = raw();
        return std::complex<double>(real, raw());
      }
      case kString: {
        std::size_t n = count();
        std::string text(at_, n);
        at_ += n;
        return text;
      }
      case kDType: return static_cast<DType>(byte());
      case kDims: {
        Dims dims;
        for (std::size_t n = count(); n-- > 0;) dims.push_back(integer());
        return dims;
      }
      case kTuple: {
        Attr::Tuple items(count());
        for (Attr& item : items) item = next();
        return items;
      }
      case kSlice: {
        Slice slice;
        int parts = byte();
        if (parts & 1) slice.start = integer();
        if (parts & 2) slice.stop = integer();
        if (parts & 4) slice.step = integer();
        return slice;
      }
      case kEllipsis: return Ellipsis{};
      case kOperand: return OperandRef{static_cast<int>(integer())};
      default: throw Error(ErrorClass::SystemError, "attribute table: unknown tag");
    }
  }

 private:
  char byte() { return *at_++; }
  std::uint64_t bits() {
    std::uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
      auto b = static_cast<unsigned char>(*at_++);
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
  }
  std::size_t count() { return static_cast<std::size_t>(bits()); }
  std::int64_t integer() {
    std::uint64_t v = bits();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }
  double raw() {
    double v;
    std::memcpy(&v, at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  const char* at_;
  const char* end_;
};

std::uint32_t hash_of(std::string_view bytes) {
  std::uint64_t h = 0x9e3779b97f4a7c15ull ^ bytes.size();
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    h = (h ^ word) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data() + i, bytes.size() - i);
  h = (h ^ rest) * 0xc4ceb9fe1a85ec53ull;
  return static_cast<std::uint32_t>(h ^ (h >> 32));
}

}  // namespace

std::string encode_attrs(std::span<const Attr> attrs) {
  std::string bytes;
  for (const Attr& attr : attrs) put(bytes, attr);
  return bytes;
}

std::vector<Attr> decode_attrs(std::string_view bytes) {
  std::vector<Attr> attrs;
  for (Reader reader(bytes); !reader.done();) attrs.push_back(reader.next());
  return attrs;
}

AttrTable::AttrTable() : slots_(64, 0) {}

AttrTable::~AttrTable() {
  for (Entry& e : entries_)
    if (e.references && e.size > kInline) delete[] data(e);
}

const char* AttrTable::data(const Entry& e) const {
  if (e.size <= kInline) return e.text;
  const char* pointer;
  std::memcpy(&pointer, e.text, sizeof pointer);
  return pointer;
}

std::string_view AttrTable::bytes(AttrsId id) const { return {data(entries_[id]), entries_[id].size}; }

std::size_t AttrTable::memory() const {
  std::size_t total =
      entries_.capacity() * sizeof(Entry) + slots_.size() * sizeof(slots_[0]) + free_.capacity() * sizeof(AttrsId);
  for (const Entry& e : entries_)
    if (e.references && e.size > kInline) total += e.size;
  return total;
}

AttrsId AttrTable::intern(std::span<const Attr> attrs) {
  scratch_.clear();
  for (const Attr& attr : attrs) put(scratch_, attr);
  std::uint32_t hash = hash_of(scratch_);
  std::size_t mask = slots_.size() - 1, at = hash & mask;
  for (; slots_[at]; at = (at + 1) & mask) {
    Entry& e = entries_[slots_[at] - 1];
    if (e.hash == hash && bytes(slots_[at] - 1) == scratch_) {
      ++e.references;
      return slots_[at] - 1;
    }
  }
  AttrsId id;
  if (free_.empty()) {
    id = static_cast<AttrsId>(entries_.size());
    entries_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Entry& e = entries_[id];
  e.references = 1;
  e.hash = hash;
  e.size = static_cast<std::uint32_t>(scratch_.size());
  if (e.size <= kInline) {
    std::memcpy(e.text, scratch_.data(), e.size);
  } else {
    char* copy = new char[e.size];
    std::memcpy(copy, scratch_.data(), e.size);
    std::memcpy(e.text, &copy, sizeof copy);
  }
  slots_[at] = id + 1;
  if (++live_ * 3 > slots_.size() * 2) grow();
  return id;
}

void AttrTable::grow() {
  std::vector<std::uint32_t> old(slots_.size() * 2, 0);
  old.swap(slots_);
  std::size_t mask = slots_.size() - 1;
  for (std::uint32_t slot : old) {
    if (!slot) continue;
    std::size_t at = entries_[slot - 1].hash & mask;
    while (slots_[at]) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void AttrTable::erase(AttrsId id) {
  Entry& e = entries_[id];
  std::size_t mask = slots_.size() - 1, at = e.hash & mask;
  while (slots_[at] != id + 1) at = (at + 1) & mask;
  // Close the gap: what follows moves back unless it stands at its own place already.
  for (std::size_t next = (at + 1) & mask; slots_[next]; next = (next + 1) & mask) {
    std::size_t home = entries_[slots_[next] - 1].hash & mask;
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    slots_[at] = slots_[next];
    at = next;
  }
  slots_[at] = 0;
  if (e.size > kInline) delete[] data(e);
  e.size = 0;
  free_.push_back(id);
  --live_;
}

}  // namespace autoray::ir
