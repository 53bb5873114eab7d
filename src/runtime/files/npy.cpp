#include "runtime/files/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

using ir::DType;
using ir::Error;
using ir::ErrorClass;

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kAlignment = 64;  // of the elements within the file
constexpr int kGrowthDigits = 21;       // room that numpy leaves for a growing first extent

[[noreturn]] void bad(std::string message) { throw Error(ErrorClass::ValueError, std::move(message)); }

std::string read_exactly(ByteSource& source, std::size_t count, const char* what) {
  std::string bytes(count, '\0');
  std::size_t got = source.read(bytes.data(), count);
  if (got != count)
    bad(std::string("EOF: reading ") + what + ", expected " + std::to_string(count) + " bytes got " + std::to_string(got));
  return bytes;
}

// ---- the description: a Python dictionary of literals ----

std::string_view strip(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Length of the literal at the start of `text`, up to a ',', ':' or closing bracket outside of it; npos where
// brackets or quotes do not match.
std::size_t literal_length(std::string_view text) {
  std::string open;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\'' || c == '"') {
      i = text.find(c, i + 1);
      if (i == std::string_view::npos) return i;
    } else if (c == '(' || c == '[' || c == '{') {
      open.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) return i;
      if (open.back() != c) return std::string_view::npos;
      open.pop_back();
    } else if (open.empty() && (c == ',' || c == ':')) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::optional<std::string_view> string_literal(std::string_view text) {
  if (!text.empty() && (text.front() == 'u' || text.front() == 'b')) text.remove_prefix(1);
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') || text.back() != text.front()) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find_first_of("'\"\\") != std::string_view::npos) return std::nullopt;
  return text;
}

struct Description {
  std::optional<std::string_view> descr, fortran_order, shape;  // the values' texts
};

std::string printable(std::string_view text) {
  std::string result;
  static constexpr char kHex[] = "0123456789abcdef";
  for (char c : text.substr(0, 200)) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (byte < 32 || byte >= 127) {
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      result += c;
    }
  }
  return result + (text.size() > 200 ? "..." : "");
}

Description parse_description(std::string_view header) {
  std::string_view text = strip(header);
  auto cannot = [&]() { bad("Cannot parse header: '" + printable(header) + "'"); };
  if (text.empty() || text.front() != '{' || text.back() != '}') {
    if (!text.empty() && text.front() != '{') bad("Header is not a dictionary: " + printable(text));
    cannot();
  }
  text = text.substr(1);
  Description result;
  std::vector<std::string> keys;
  bool expected = true;
  for (;;) {
    text = strip(text);
    if (text == "}") break;
    std::size_t length = literal_length(text);
    if (length == std::string_view::npos || text[length] != ':') cannot();
    auto key = string_literal(strip(text.substr(0, length)));
    if (!key) cannot();
    text = text.substr(length + 1);
    length = literal_length(text);
    if (length == std::string_view::npos || text[length] == ':') cannot();
    std::string_view value = strip(text.substr(0, length));
    if (value.empty()) cannot();
    if (*key == "descr") {
      result.descr = value;
    } else if (*key == "fortran_order") {
      result.fortran_order = value;
    } else if (*key == "shape") {
      result.shape = value;
    } else {
      expected = false;
    }
    std::string shown = "'" + printable(*key) + "'";
    if (std::find(keys.begin(), keys.end(), shown) == keys.end()) keys.push_back(shown);
    text = text.substr(length);
    if (text.front() == ',') {
      text = text.substr(1);
    } else if (text.front() != '}') {
      cannot();
    }
  }
  if (!expected || !result.descr || !result.fortran_order || !result.shape) {
    std::sort(keys.begin(), keys.end());
    std::string joined;
    for (const std::string& key : keys) joined += (joined.empty() ? "" : ", ") + key;
    bad("Header does not contain the correct keys: [" + joined + "]");
  }
  return result;
}

ir::Dims parse_shape(std::string_view text) {
  auto invalid = [&]() { bad("shape is not valid: " + printable(text)); };
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') invalid();
  std::string_view rest = strip(text.substr(1, text.size() - 2));
  ir::Dims shape;
  bool comma = false;
  while (!rest.empty()) {
    std::size_t end = rest.find(',');
    std::string_view item = strip(rest.substr(0, end));
    if (!item.empty() && item.back() == 'L') item.remove_suffix(1);  // written by Python 2
    std::int64_t extent = 0;
    auto parsed = std::from_chars(item.data(), item.data() + item.size(), extent);
    if (item.empty() || parsed.ec != std::errc() || parsed.ptr != item.data() + item.size() || extent < 0) invalid();
    shape.push_back(extent);
    comma |= end != std::string_view::npos;
    rest = end == std::string_view::npos ? std::string_view() : strip(rest.substr(end + 1));
    if (shape.ssize() > ir::kMaxDims) invalid();
  }
  if (shape.size() == 1 && !comma) invalid();  // (3) is no tuple
  return shape;
}

struct Element {
  DType dtype;
  bool swapped;  // big-endian
};

Element parse_descr(std::string_view text) {
  auto spelled = string_literal(text);
  if (!spelled) {
    if (text.front() == '[')
      throw Error(ErrorClass::NotImplementedError, "structured arrays are not supported (descr " + printable(text) + ")");
    bad("descr is not a valid dtype descriptor: " + printable(text));
  }
  std::string_view name = *spelled;
  std::string_view bare = name;
  bool swapped = false;
  if (!bare.empty() && (bare[0] == '<' || bare[0] == '>' || bare[0] == '=' || bare[0] == '|')) {
    swapped = bare[0] == '>';
    bare.remove_prefix(1);
  }
  if (bare.starts_with('O')) bad("Object arrays cannot be loaded when allow_pickle=False");
  if (auto dtype = ir::parse_dtype(bare)) return {*dtype, swapped && ir::itemsize(*dtype) > 1};
  static constexpr std::string_view kOtherKinds = "USaMmVgGT";
  if (!bare.empty() && kOtherKinds.find(bare[0]) != std::string_view::npos)
    throw Error(ErrorClass::NotImplementedError, "arrays of dtype '" + printable(name) + "' are not supported");
  if (bare == "f16" || bare == "c32" || bare == "longdouble" || bare == "clongdouble")
    throw Error(ErrorClass::NotImplementedError, "arrays of dtype '" + printable(name) + "' are not supported");
  bad("descr is not a valid dtype descriptor: " + printable(text));
}

void swap_bytes(char* data, std::int64_t count, std::size_t size) {
  for (std::int64_t i = 0; i < count; ++i, data += size) std::reverse(data, data + size);
}

void normalize_bools(char* data, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) data[i] = data[i] != 0;
}

std::string header_text(ByteSource& source, std::int64_t max_header_size) {
  std::string magic = read_exactly(source, 8, "magic string");
  auto major = static_cast<unsigned char>(magic[6]), minor = static_cast<unsigned char>(magic[7]);
  if (!magic.starts_with(kMagic))
    bad("the magic string is not correct; expected b'\\x93NUMPY', got b'" + printable(magic.substr(0, 6)) + "'");
  if (major < 1 || major > 3 || minor != 0)
    bad("we only support format version (1,0), (2,0), and (3,0), not (" + std::to_string(major) + ", " + std::to_string(minor) +
        ")");
  std::string length_bytes = read_exactly(source, major == 1 ? 2 : 4, "array header length");
  std::uint32_t length = 0;
  for (std::size_t i = length_bytes.size(); i-- > 0;) length = length << 8 | static_cast<unsigned char>(length_bytes[i]);
  if (length > max_header_size) {
    // A length beyond the end is told as such, without reserving it.
    if (length > source.remaining())
      bad("EOF: reading array header, expected " + std::to_string(length) + " bytes got " + std::to_string(source.remaining()));
    bad("Header info length (" + std::to_string(length) +
        ") is large and may not be safe to load securely.\nTo allow loading, adjust `max_header_size` or "
        "fully trust the `.npy` file "
        "using `allow_pickle=True`.\nFor safety against large resource use or crashes, sandboxing may be "
        "necessary.");
  }
  return read_exactly(source, length, "array header");
}

}  // namespace

Array read_npy(Runtime& runtime, ByteSource& source, std::int64_t max_header_size) {
  std::string header = header_text(source, max_header_size);
  Description description = parse_description(header);
  ir::Dims shape = parse_shape(*description.shape);
  if (*description.fortran_order != "True" && *description.fortran_order != "False")
    bad("fortran_order is not a valid bool: " + printable(*description.fortran_order));
  bool fortran = *description.fortran_order == "True";
  Element element = parse_descr(*description.descr);
  std::size_t size = ir::itemsize(element.dtype);
  std::int64_t count = ir::element_count(shape);
  std::uint64_t there = source.remaining() / size;
  auto incomplete = [&](std::uint64_t elements) {
    if (source.is_archive_member())
      bad("EOF: reading array data, expected " + std::to_string(count) + " elements got " + std::to_string(elements));
    bad("Failed to read all data for array. Expected " + ir::to_string(shape) + " = " + std::to_string(count) +
        " elements, could only read " + std::to_string(elements) + " elements. (file seems not fully written?)");
  };
  if (static_cast<std::uint64_t>(count) > there) incomplete(there);
  if (fortran) std::reverse(shape.begin(), shape.end());
  Array array = runtime.allocate(element.dtype, shape);
  array.backend = runtime.native_backend();
  auto wanted = static_cast<std::size_t>(array.nbytes());
  constexpr std::size_t kPiece = std::size_t{1} << 24;
  for (std::size_t done = 0; done < wanted;) {
    runtime.poll();
    std::size_t step = std::min(kPiece, wanted - done), got = source.read(array.data + done, step);
    done += got;
    if (got < step) {
      if (fortran) std::reverse(shape.begin(), shape.end());
      incomplete(done / size);
    }
  }
  if (element.swapped) {
    bool is_complex = ir::is_complex(element.dtype);
    swap_bytes(array.data, is_complex ? 2 * count : count, is_complex ? size / 2 : size);
  }
  if (element.dtype == DType::Bool) normalize_bools(array.data, count);
  if (!fortran) return array;
  ir::Dims axes;
  for (int i = array.ndim(); i-- > 0;) axes.push_back(i);
  return transposed(array, axes);
}

Array read_npy(Runtime& runtime, const std::string& path) {
  FileSource source(path);
  if (source.regular()) return read_npy(runtime, source);
  std::string bytes = read_whole_file(path);
  SpanSource span(bytes);
  return read_npy(runtime, span);
}

std::string npy_header(const Array& array) {
  bool fortran = array.f_contiguous() && !array.c_contiguous();
  std::string descr(1, ir::itemsize(array.dtype) == 1 ? '|' : '<');
  descr += ir::kind_letter(array.dtype);
  descr += std::to_string(ir::itemsize(array.dtype));
  std::string text = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
                     ", 'shape': " + ir::to_string(array.shape) + ", }";
  if (array.ndim() > 0) {
    std::size_t digits = std::to_string(fortran ? array.shape.back() : array.shape[0]).size();
    text.append(kGrowthDigits > digits ? kGrowthDigits - digits : 0, ' ');
  }
  constexpr std::size_t kBefore = 10;  // magic, version, length
  std::size_t total = kBefore + text.size() + 1;
  text.append(kAlignment - total % kAlignment, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

void write_npy(Runtime& runtime, const std::string& path, const Array& array) {
  AtomicFile file(path);
  file.write(npy_header(array));
  Array ordered = array;
  if (array.f_contiguous() && !array.c_contiguous()) {
    ir::Dims axes;
    for (int i = array.ndim(); i-- > 0;) axes.push_back(i);
    ordered = transposed(array, axes);
  }
  ordered = contiguous(runtime, ordered, array.dtype);
  file.write(ordered.data, static_cast<std::size_t>(ordered.nbytes()));
  file.commit();
}

}  // namespace autoray::runtime
