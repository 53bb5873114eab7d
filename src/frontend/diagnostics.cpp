#include "frontend/diagnostics.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace autoray::frontend {
namespace {

constexpr std::size_t kWidth = 160;  // a longer source line is cut around the caret

constexpr ErrorCode kCodes[] = {
#define ERROR_CODE(number, title, explanation) {number, title, explanation},
#include "ir/error_codes.def"
#undef ERROR_CODE
};

// Control characters as one blank each, so that carets stay under what they mark; bytes that are no UTF-8 as U+FFFD.
std::string printable(std::string_view text) {
  std::string line, result;
  for (char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  for (std::size_t at = 0; at < line.size();) {
    // The blank before keeps a byte order mark inside the text.
    std::size_t bad = Source("", " " + line.substr(at)).first_bad_byte();
    if (bad == std::string::npos) return result + line.substr(at);
    result += line.substr(at, bad - 1) + "\xef\xbf\xbd";
    at += bad;
  }
  return result;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

std::string escape_json(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
      result += buffer;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

const ErrorCode* find_error_code(int code) {
  for (const ErrorCode& row : kCodes)
    if (row.code == code) return &row;
  return nullptr;
}

std::string code_text(int code) {
  char text[16];
  std::snprintf(text, sizeof text, "E%04d", code);
  return text;
}

int default_code(ir::ErrorClass error_class) {
  using ir::ErrorClass;
  switch (error_class) {
    case ErrorClass::SyntaxError: return 101;
    case ErrorClass::IndentationError:
    case ErrorClass::TabError: return 102;
    case ErrorClass::NameError:
    case ErrorClass::UnboundLocalError: return 301;
    case ErrorClass::TypeError: return 302;
    case ErrorClass::UFuncTypeError:
    case ErrorClass::DTypePromotionError: return 403;
    case ErrorClass::ValueError: return 303;
    case ErrorClass::AttributeError: return 304;
    case ErrorClass::KeyError:
    case ErrorClass::IndexError:
    case ErrorClass::LookupError: return 305;
    case ErrorClass::ZeroDivisionError:
    case ErrorClass::OverflowError:
    case ErrorClass::FloatingPointError:
    case ErrorClass::ArithmeticError: return 306;
    case ErrorClass::AssertionError: return 307;
    case ErrorClass::ImportError:
    case ErrorClass::ModuleNotFoundError: return 309;
    case ErrorClass::AxisError: return 402;
    case ErrorClass::LinAlgError: return 404;
    case ErrorClass::OSError:
    case ErrorClass::FileNotFoundError:
    case ErrorClass::FileExistsError:
    case ErrorClass::PermissionError:
    case ErrorClass::IsADirectoryError:
    case ErrorClass::NotADirectoryError: return 601;
    case ErrorClass::RecursionError: return 702;
    case ErrorClass::MemoryError: return 703;
    case ErrorClass::KeyboardInterrupt: return 705;
    case ErrorClass::SystemError: return 901;
    case ErrorClass::NotImplementedError: return 202;
    default: return 308;
  }
}

namespace {

Excerpt excerpt_of(const Source& source, int line_number, const std::vector<Label>& labels) {
  Excerpt excerpt;
  excerpt.line = line_number;
  std::string_view line = source.line(line_number);
  std::uint32_t start = source.line_start(line_number);
  std::vector<const Label*> here;
  for (const Label& label : labels)
    if (source.place(label.span.begin).line == line_number) here.push_back(&label);
  // The window of the line that is shown.
  std::size_t from = 0, caret = here[0]->span.begin - start;
  std::size_t to = line.size();
  if (line.size() > kWidth) {
    from = caret > kWidth / 2 ? caret - kWidth / 2 : 0;
    to = std::min(line.size(), from + kWidth);
    while (from < to && (static_cast<unsigned char>(line[from]) & 0xc0) == 0x80) ++from;
    while (to < line.size() && (static_cast<unsigned char>(line[to]) & 0xc0) == 0x80) --to;
  }
  excerpt.text = (from ? "..." : "") + printable(line.substr(from, to - from)) + (to < line.size() ? "..." : "");
  std::size_t indent = from ? 3 : 0;
  struct Mark {
    std::size_t begin, end;
    std::string text;
    bool main;
  };
  std::vector<Mark> marks;
  for (const Label* label : here) {
    std::size_t b = std::max<std::size_t>(label->span.begin - start, from);
    std::size_t e = std::min<std::size_t>(std::max<std::size_t>(label->span.end, label->span.begin + 1) - start, to);
    if (b > to) continue;
    std::size_t begin = indent + code_points(line.substr(from, b - from));
    std::size_t end = begin + std::max<std::size_t>(1, e > b ? code_points(line.substr(b, e - b)) : 1);
    marks.push_back({begin, end, label->text, label == &labels[0]});
  }
  // One row of marks; labels below, from the rightmost to the leftmost, one line each.
  std::string row;
  for (const Mark& mark : marks) {
    if (row.size() < mark.end) row.resize(mark.end, ' ');
    for (std::size_t i = mark.begin; i < mark.end; ++i)
      if (row[i] == ' ' || mark.main) row[i] = labels.size() > 1 && mark.main ? row[i] == '~' ? '~' : '^' : '~';
    if (labels.size() == 1) row[mark.begin] = '^';
  }
  excerpt.carets.push_back(row);
  std::vector<const Mark*> labelled;
  for (const Mark& mark : marks)
    if (!mark.text.empty()) labelled.push_back(&mark);
  std::sort(labelled.begin(), labelled.end(), [](const Mark* a, const Mark* b) { return a->begin > b->begin; });
  for (const Mark* mark : labelled) excerpt.carets.push_back(std::string(mark->begin, ' ') + mark->text);
  return excerpt;
}

}  // namespace

void locate(Diagnostic& diagnostic, const Source& source) {
  diagnostic.file = source.name();
  diagnostic.excerpts.clear();
  if (diagnostic.labels.empty()) return;
  Place main = source.place(diagnostic.labels[0].span.begin);
  diagnostic.line = main.line;
  diagnostic.column = main.column;
  std::set<int> lines;
  for (const Label& label : diagnostic.labels) lines.insert(source.place(label.span.begin).line);
  for (int line : lines) diagnostic.excerpts.push_back(excerpt_of(source, line, diagnostic.labels));
}

std::string render(const Diagnostic& d, bool colour) {
  const char *bold = colour ? "\033[1m" : "", *red = colour ? "\033[1;31m" : "", *green = colour ? "\033[1;32m" : "",
             *reset = colour ? "\033[0m" : "";
  std::string text;
  if (!d.stack.empty()) {
    text += "Traceback (most recent call last):\n";
    for (const StackFrame& frame : d.stack) {
      text += "  " + frame.file + ":" + std::to_string(frame.line) + ", in " + frame.function + "\n";
      if (frame.repeated) text += "  [previous line repeated " + std::to_string(frame.repeated) + " more times]\n";
    }
  }
  text += bold + d.file;
  if (d.line) text += ":" + std::to_string(d.line) + ":" + std::to_string(d.column);
  text += std::string(": ") + red + "error[" + code_text(d.code) + "]" + reset + ": " + bold + d.title + reset + "\n";
  const std::size_t width = d.excerpts.empty() ? 0 : std::to_string(d.excerpts.back().line).size();
  for (std::size_t i = 0; i < d.excerpts.size(); ++i) {
    const Excerpt& excerpt = d.excerpts[i];
    const std::string number = std::to_string(excerpt.line);
    const std::string margin(width + 1, ' ');
    if (i > 0 && excerpt.line > d.excerpts[i - 1].line + 1) text += margin + "...\n";
    text += " " + std::string(width - number.size(), ' ') + number + " | " + excerpt.text + "\n";
    for (const std::string& line : excerpt.carets) text += margin + " | " + green + line + reset + "\n";
  }
  for (const std::string& note : d.notes) text += "  note: " + note + "\n";
  if (!d.hint.empty()) text += "  hint: " + d.hint + "\n";
  return text;
}

std::string to_json(const Diagnostic& d) {
  std::string text = "{\"severity\": \"error\", \"code\": \"" + code_text(d.code) + "\", \"message\": \"" +
                     escape_json(d.title) + "\", \"file\": \"" + escape_json(d.file) +
                     "\", \"line\": " + std::to_string(d.line) + ", \"column\": " + std::to_string(d.column) +
                     ", \"hint\": \"" + escape_json(d.hint) + "\", \"stack\": [";
  for (std::size_t i = 0; i < d.stack.size(); ++i) {
    const StackFrame& f = d.stack[i];
    text += std::string(i ? ", " : "") + "{\"function\": \"" + escape_json(f.function) + "\", \"file\": \"" +
            escape_json(f.file) + "\", \"line\": " + std::to_string(f.line) + "}";
  }
  text += "], \"notes\": [";
  for (std::size_t i = 0; i < d.notes.size(); ++i) text += (i ? ", \"" : "\"") + escape_json(d.notes[i]) + "\"";
  return text + "]}";
}

}  // namespace autoray::frontend
