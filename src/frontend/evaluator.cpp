// Statements, exceptions and diagnostics. Expressions are in expressions.cpp, calls in calls.cpp.
#include "frontend/evaluator.h"

#include <sys/mman.h>

#include <algorithm>
#include <stdexcept>

#include "ir/suggest.h"
#include "runtime/lazy/captures.h"
#include "runtime/lazy/deferral.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Cell;
using runtime::Exception;
using runtime::List;
using runtime::make;
using runtime::Range;
using runtime::Tuple;

namespace {
constexpr std::size_t kSlots = std::size_t{1} << 20;  // of all frames together: 16 MB of address space, touched as used
}  // namespace

Evaluator::Evaluator(Interpreter& interpreter) : interpreter_(interpreter) {
  // All-zero memory is a Value that is Empty.
  static_assert(static_cast<int>(runtime::Tag::Empty) == 0);
  // Mapped, not allocated: memory that malloc had before would be cleared, all of it, for each evaluator.
  void* slots =
      mmap(nullptr, kSlots * sizeof(Value), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (slots == MAP_FAILED) throw std::bad_alloc();
  madvise(slots, kSlots * sizeof(Value), MADV_NOHUGEPAGE);
  slot_base_ = static_cast<Value*>(slots);
}

Evaluator::~Evaluator() {
  for (std::size_t i = 0; i < slot_used_; ++i) slot_base_[i].clear();
  munmap(slot_base_, kSlots * sizeof(Value));
}

Value* Evaluator::push_slots(std::size_t count) {
  if (slot_used_ + count > kSlots) throw Error(ErrorClass::RecursionError, "maximum recursion depth exceeded");
  Value* slots = slot_base_ + slot_used_;
  slot_used_ += count;
  return slots;
}

void Evaluator::pop_slots(Value* slots, std::size_t count) {
  for (std::size_t i = count; i-- > 0;) slots[i].clear();
  slot_used_ -= count;
}

bool Evaluator::run_module(ModuleUnit& unit) {
  Frame frame;
  frame.unit = &unit;
  frame.caller = current_;
  std::size_t count = unit.tree->scope->slot_count;
  frame.slots = push_slots(count);
  for (std::uint32_t slot : unit.tree->scope->cell_slots) frame.slots[slot] = make<Cell>();
  current_ = &frame;
  Completion c = exec_block(unit.tree->body, frame);
  current_ = frame.caller;
  pop_slots(frame.slots, count);
  return c != Completion::Raise;
}

// ---- where a recorded node comes from ----

std::uint32_t Evaluator::source_of(const Frame& frame) {
  const SourceSpan& span = frame.call_site;
  SourceCache& cached = source_cache_[(span.begin * 31 + span.end * 7 + frame.callers) % std::size(source_cache_)];
  if (cached.unit == frame.unit && cached.begin == span.begin && cached.end == span.end && cached.callers == frame.callers)
    return cached.id;
  runtime::Recorder& recorder = runtime().recorder();
  ir::GraphTables& tables = recorder.tables();
  Place place = frame.unit->source->place(span.begin);
  tables.sources.keep_text(tables.names.intern(frame.unit->source->name()), frame.unit->source->text());
  cached = {frame.unit, span.begin, span.end, frame.callers,
            tables.sources.intern({tables.names.intern(frame.unit->source->name()), tables.names.intern(frame.function),
                                   static_cast<std::uint32_t>(place.line), static_cast<std::uint32_t>(place.column),
                                   span.end - span.begin, frame.callers})};
  return cached.id;
}

std::uint32_t Evaluator::source() {
  if (!current_) return ir::kNoSource;
  if (current_->callers == Frame::kNotInterned) {
    // From the outermost frame that is not interned yet inwards.
    std::vector<Frame*> frames;
    for (Frame* f = current_; f && f->callers == Frame::kNotInterned; f = f->caller) frames.push_back(f);
    for (std::size_t k = frames.size(); k-- > 0;)
      frames[k]->callers = frames[k]->caller ? source_of(*frames[k]->caller) : ir::kNoSource;
  }
  return source_of(*current_);
}

void Evaluator::name_lazy(const Value& value, NameId name) {
  runtime::Recorder& recorder = runtime().recorder();
  if (name >= graph_names_.size()) graph_names_.resize(interpreter_.interner.size());
  NameId& known = graph_names_[name];
  if (!known) known = recorder.tables().names.intern(interpreter_.interner.text(name));
  recorder.name(value.as<runtime::LazyArray>(), known);
}

// ---- raising ----

void Evaluator::add_trace(const SourceSpan& span, Frame& frame) {
  auto& exception = pending_.as<Exception>();
  if (!exception.place.empty()) return;
  auto trace = make<Trace>();
  if (exception.source) add_recorded(*trace, exception);
  if (trace->entries.empty()) {
    trace->unit = frame.unit;
    trace->labels.push_back({span, ""});
  }
  std::uint32_t offset = span.begin;
  for (Frame* f = &frame; f; f = f->caller) {
    trace->entries.push_back({f->unit, f->function, offset});
    if (f->caller) offset = f->caller->call_site.begin;
  }
  exception.place = trace;
  if (!handled_.empty() && exception.context.empty() && !handled_.back().identical(pending_))
    exception.context = handled_.back();
}

// Where the operation was recorded that has failed now, as if it had been called from here.
void Evaluator::add_recorded(Trace& trace, const Exception& exception) {
  const ir::GraphTables& tables = runtime().recorder().tables();
  ir::SourceId id = exception.source;
  for (int k = 0; k < exception.source_frames && id != ir::kNoSource; ++k) {
    const ir::SourcePlace& place = tables.sources.place(id);
    id = place.caller;
    const ModuleUnit* unit = interpreter_.unit_named(tables.names.text(place.file));
    if (!unit) continue;
    const Place at{static_cast<int>(place.line), static_cast<int>(place.column)};
    const std::uint32_t offset = unit->source->offset(at);
    trace.entries.push_back({unit, tables.names.text(place.function), offset});
    if (trace.unit) continue;
    trace.unit = unit;
    trace.labels.push_back({{offset, offset + std::max(place.length, 1u)}, ""});
  }
}

void Evaluator::label_operands(Expr& left, Expr& right) {
  auto& exception = pending_.as<Exception>();
  if (exception.place.empty() || exception.operands.size() != 2 || exception.source) return;
  auto& trace = static_cast<Trace&>(exception.place.as<runtime::NativeObject>());
  if (trace.labels.size() > 1) return;
  trace.labels.push_back({left.span, exception.operands[0]});
  trace.labels.push_back({right.span, exception.operands[1]});
}

void Evaluator::set_raised(const SourceSpan& span, Frame& frame) {
  try {
    throw;
  } catch (const Error& error) {
    pending_ = runtime::make_exception(error);
  } catch (const runtime::Raised& raised) {
    pending_ = raised.exception;
  } catch (const std::length_error&) {  // of a container: more than any memory holds
    pending_ = make<Exception>(ErrorClass::MemoryError, std::vector<Value>{runtime::make_str("out of memory")});
  } catch (const std::bad_alloc&) {
    pending_ = make<Exception>(ErrorClass::MemoryError, std::vector<Value>{runtime::make_str("out of memory")});
  } catch (const std::exception& other) {
    pending_ = make<Exception>(ErrorClass::SystemError,
                               std::vector<Value>{runtime::make_str(std::string("internal error: ") + other.what())});
  }
  add_trace(span, frame);
}

bool Evaluator::raise(Error error, const SourceSpan& span, Frame& frame) {
  pending_ = runtime::make_exception(error);
  add_trace(span, frame);
  return false;
}

void Evaluator::rethrow_pending() { throw runtime::Raised{std::move(pending_)}; }

namespace {

std::string exception_text(Runtime& runtime, const Exception& exception) {
  std::string name(ir::name(exception.error_class));
  if (exception.error_class == ErrorClass::LinAlgError) name = "numpy.linalg.LinAlgError";
  if (exception.error_class == ErrorClass::AxisError) name = "numpy.exceptions.AxisError";
  if (exception.args.empty()) return name;
  std::string text;
  try {
    if (exception.args.size() == 1 && exception.error_class != ErrorClass::KeyError) {
      text = str(runtime, exception.args[0]);
    } else if (exception.args.size() == 1) {
      text = repr(runtime, exception.args[0]);
    } else {
      text = repr(runtime, runtime::make_tuple(exception.args));
    }
  } catch (...) {
    text = "<the message could not be formatted>";
  }
  return text.empty() ? name : name + ": " + text;
}

}  // namespace

std::vector<std::string> Evaluator::notes_of(const Exception& exception) {
  constexpr std::size_t kMost = 5;
  std::vector<std::string> notes;
  const Exception* e = &exception;
  while (notes.size() < kMost) {
    bool caused = e->cause.is(runtime::ObjectKind::Exception);
    if (e->cause.is_none()) break;  // raise ... from None
    const Value& earlier = caused ? e->cause : e->context;
    if (earlier.empty()) break;
    e = &earlier.as<Exception>();
    std::string note = (caused ? "caused by " : "while handling ") + exception_text(runtime(), *e);
    if (!e->place.empty()) {
      auto& trace = static_cast<Trace&>(e->place.as<runtime::NativeObject>());
      Place place = trace.unit->source->place(trace.labels[0].span.begin);
      note += " (" + trace.unit->source->name() + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ")";
    }
    notes.push_back(std::move(note));
  }
  return notes;
}

Diagnostic Evaluator::diagnose(const Value& value) {
  Diagnostic d;
  auto& exception = value.as<Exception>();
  d.title = exception_text(runtime(), exception);
  d.code = exception.code ? exception.code : default_code(exception.error_class);
  d.hint = exception.hint;
  d.notes = notes_of(exception);
  if (exception.place.empty()) {
    d.file = "<autoray>";
    return d;
  }
  auto& trace = static_cast<Trace&>(exception.place.as<runtime::NativeObject>());
  d.labels = trace.labels;
  // With both operands marked, the whole expression's own marks would hide them.
  if (d.labels.size() == 3) d.labels[0].span.end = d.labels[0].span.begin = d.labels[1].span.begin;
  if (d.labels.size() == 3) d.labels.erase(d.labels.begin());
  locate(d, *trace.unit->source);
  if (trace.entries.size() > 1)
    for (auto it = trace.entries.rbegin(); it != trace.entries.rend(); ++it) {
      StackFrame frame{std::string(it->function), it->unit->source->name(), it->unit->source->place(it->offset).line, 0};
      if (!d.stack.empty() && d.stack.back().function == frame.function && d.stack.back().line == frame.line &&
          d.stack.back().file == frame.file) {
        ++d.stack.back().repeated;
      } else {
        d.stack.push_back(std::move(frame));
      }
    }
  return d;
}

// ---- statements ----

Completion Evaluator::exec_block(Block body, Frame& frame) {
  for (Stmt* s : body) {
    Completion c = exec(*s, frame);
    if (c != Completion::Normal) return c;
  }
  return Completion::Normal;
}

// What most statements need has a function each: the registers that the others save are not theirs.
Completion Evaluator::exec(Stmt& statement, Frame& frame) {
  switch (statement.kind) {
    case StmtKind::Expr: return exec_expression(as<ExprStmt>(statement), frame);
    case StmtKind::Assign: return exec_assign(as<Assign>(statement), frame);
    case StmtKind::For: return exec_for(as<For>(statement), frame);
    default: return exec_other(statement, frame);
  }
}

Completion Evaluator::exec_expression(ExprStmt& s, Frame& frame) {
  Value ignored;
  return eval(*s.value, frame, ignored) ? Completion::Normal : Completion::Raise;
}

Completion Evaluator::exec_assign(Assign& s, Frame& frame) {
  if (!s.value) return Completion::Normal;
  Value value;
  if (!eval(*s.value, frame, value)) return Completion::Raise;
  if (s.targets.size() == 1 && s.targets[0]->kind == ExprKind::Name)
    if (auto& name = as<Name>(*s.targets[0]); name.scope == Scope::Local) {
      if (value.is(runtime::ObjectKind::Lazy)) [[unlikely]]
        name_lazy(value, name.id);
      frame.slots[name.slot].swap(value);
      return Completion::Normal;
    }
  if (s.targets.size() == 1 && s.targets[0]->kind == ExprKind::Subscript) {
    // An item of a local list.
    auto& place = as<Subscript>(*s.targets[0]);
    const Value *object = peek(*place.value, frame), *index = peek(*place.index, frame);
    if (auto* list = object && index && index->is_int() ? object->get_if<List>() : nullptr) {
      auto i = static_cast<std::uint64_t>(index->as_int());
      if (i < list->items.size()) {
        list->items[i].swap(value);
        return Completion::Normal;
      }
    }
  }
  for (std::size_t i = 0; i + 1 < s.targets.size(); ++i)
    if (!assign(*s.targets[i], frame, value)) return Completion::Raise;
  return assign(*s.targets.back(), frame, std::move(value)) ? Completion::Normal : Completion::Raise;
}

Completion Evaluator::exec_other(Stmt& statement, Frame& frame) {
  switch (statement.kind) {
    case StmtKind::Expr:
    case StmtKind::Assign:
    case StmtKind::For: break;  // above
    case StmtKind::AugAssign: return exec_aug_assign(as<AugAssign>(statement), frame) ? Completion::Normal : Completion::Raise;
    case StmtKind::If: {
      auto& s = as<If>(statement);
      for (Branch& branch : s.branches) {
        bool holds;
        if (!condition(*branch.test, frame, holds)) return Completion::Raise;
        if (holds) return exec_block(branch.body, frame);
      }
      return exec_block(s.orelse, frame);
    }
    case StmtKind::While: {
      auto& s = as<While>(statement);
      unsigned counter = 0;
      for (;;) {
        bool holds;
        if (!condition(*s.test, frame, holds)) return Completion::Raise;
        if (!holds) return exec_block(s.orelse, frame);
        Completion c = exec_block(s.body, frame);
        if (c == Completion::Break) return Completion::Normal;
        if (c == Completion::Return || c == Completion::Raise) return c;
        try {
          poll_every(counter);
        } catch (...) {
          set_raised(s.span, frame);
          return Completion::Raise;
        }
      }
    }
    case StmtKind::Try: return exec_try(as<Try>(statement), frame);
    case StmtKind::With: return exec_with(as<With>(statement), frame, 0);
    case StmtKind::FunctionDef: {
      auto& s = as<FunctionDef>(statement);
      std::vector<Value> decorators;
      for (Expr* d : s.decorators)
        if (!eval(*d, frame, decorators.emplace_back())) return Completion::Raise;
      Value function;
      if (!make_function(*s.function, frame, function)) return Completion::Raise;
      while (!decorators.empty()) {
        Value decorated;
        frame.call_site = s.decorators[decorators.size() - 1]->span;
        if (!call(decorators.back(), {std::span(&function, 1), {}, {}}, decorated)) {
          add_trace(frame.call_site, frame);
          return Completion::Raise;
        }
        function = std::move(decorated);
        decorators.pop_back();
      }
      return assign_name(*s.target, frame, std::move(function)) ? Completion::Normal : Completion::Raise;
    }
    case StmtKind::Return: {
      auto& s = as<Return>(statement);
      if (!s.value) {
        result_ = Value::none();
        return Completion::Return;
      }
      Value value;
      if (!eval(*s.value, frame, value)) return Completion::Raise;
      result_ = std::move(value);
      return Completion::Return;
    }
    case StmtKind::Raise: return exec_raise(as<Raise>(statement), frame) ? Completion::Normal : Completion::Raise;
    case StmtKind::Assert: {
      auto& s = as<Assert>(statement);
      bool holds;
      if (!condition(*s.test, frame, holds)) return Completion::Raise;
      if (holds) return Completion::Normal;
      std::vector<Value> args;
      if (s.message && !eval(*s.message, frame, args.emplace_back())) return Completion::Raise;
      pending_ = make<Exception>(ErrorClass::AssertionError, std::move(args));
      add_trace(s.test->span, frame);
      return Completion::Raise;
    }
    case StmtKind::Delete:
      for (Expr* t : as<Delete>(statement).targets)
        if (!exec_delete(*t, frame)) return Completion::Raise;
      return Completion::Normal;
    case StmtKind::Break: return Completion::Break;
    case StmtKind::Continue: return Completion::Continue;
    case StmtKind::Import: return exec_import(as<Import>(statement), frame) ? Completion::Normal : Completion::Raise;
    case StmtKind::ImportFrom:
      return exec_import_from(as<ImportFrom>(statement), frame) ? Completion::Normal : Completion::Raise;
    case StmtKind::Pass:
    case StmtKind::Global:
    case StmtKind::Nonlocal: return Completion::Normal;
  }
  return Completion::Normal;
}

Completion Evaluator::exec_for(For& s, Frame& frame) {
  Value iterable;
  if (!eval(*s.iterable, frame, iterable)) return Completion::Raise;
  unsigned counter = 0;
  Value* local = nullptr;
  if (s.target->kind == ExprKind::Name && as<Name>(*s.target).scope == Scope::Local)
    local = &frame.slots[as<Name>(*s.target).slot];
  // One turn; true to go on.
  Completion outcome = Completion::Normal;
  auto turn = [&](Value item) {
    if (local) {
      local->swap(item);
    } else if (!assign(*s.target, frame, std::move(item))) {
      outcome = Completion::Raise;
      return false;
    }
    Completion c = exec_block(s.body, frame);
    if (c == Completion::Normal || c == Completion::Continue) {
      try {
        poll_every(counter);
      } catch (...) {
        set_raised(s.span, frame);
        outcome = Completion::Raise;
        return false;
      }
      return true;
    }
    outcome = c;
    return false;
  };
  bool finished = true;
  if (auto* range = iterable.get_if<Range>()) {
    std::int64_t count = range->size(), value = range->start;
    for (std::int64_t i = 0; i < count; ++i) {
      if (!turn(Value::integer(value))) {
        finished = false;
        break;
      }
      if (i + 1 < count) value += range->step;
    }
  } else if (auto* list = iterable.get_if<List>()) {
    for (std::size_t i = 0; i < list->items.size(); ++i)
      if (!turn(list->items[i])) {
        finished = false;
        break;
      }
  } else {
    try {
      auto iterator = iterate(runtime(), iterable);
      Value item;
      while (iterator->next(runtime(), item))
        if (!turn(std::move(item))) {
          finished = false;
          break;
        }
    } catch (...) {
      set_raised(s.iterable->span, frame);
      return Completion::Raise;
    }
  }
  if (finished) return exec_block(s.orelse, frame);
  return outcome == Completion::Break ? Completion::Normal : outcome;
}

bool Evaluator::exec_aug_assign(AugAssign& s, Frame& frame) {
  auto combine = [&](const Value& left, const Value& right, Value& result) {
    if (left.is_int() && right.is_int()) {
      std::int64_t v;
      if (s.op == BinaryOperator::Add && !__builtin_add_overflow(left.as_int(), right.as_int(), &v)) {
        result = Value::integer(v);
        return true;
      }
      if (s.op == BinaryOperator::Sub && !__builtin_sub_overflow(left.as_int(), right.as_int(), &v)) {
        result = Value::integer(v);
        return true;
      }
      std::int64_t a = left.as_int(), b = right.as_int();
      switch (s.op) {
        case BinaryOperator::BitAnd: result = Value::integer(a & b); return true;
        case BinaryOperator::BitOr: result = Value::integer(a | b); return true;
        case BinaryOperator::BitXor: result = Value::integer(a ^ b); return true;
        default: break;
      }
    } else if (left.is_float() && right.is_float()) {
      if (s.op == BinaryOperator::Add) {
        result = Value::real(left.as_float() + right.as_float());
        return true;
      }
      if (s.op == BinaryOperator::Mult) {
        result = Value::real(left.as_float() * right.as_float());
        return true;
      }
    }
    frame.call_site = s.span;
    try {
      result = inplace_binary(runtime(), s.op, left, right);
      return true;
    } catch (...) {
      set_raised(s.span, frame);
      label_operands(*s.target, *s.value);
      return false;
    }
  };
  Value right, result;
  if (s.target->kind == ExprKind::Name) {
    auto& name = as<Name>(*s.target);
    if (name.scope == Scope::Local && !frame.slots[name.slot].empty()) {
      // `i += 1`
      if (Value& slot = frame.slots[name.slot]; slot.is_int() && s.op == BinaryOperator::Add)
        if (const Value* number = peek(*s.value, frame); number && number->is_int())
          if (std::int64_t v; !__builtin_add_overflow(slot.as_int(), number->as_int(), &v)) {
            slot = Value::integer(v);
            return true;
          }
      if (!eval(*s.value, frame, right)) return false;
      Value& slot = frame.slots[name.slot];
      if (slot.empty()) return name_error(name, frame);
      if (!combine(slot, right, result)) return false;
      slot = std::move(result);
      return true;
    }
    Value left;
    if (!eval_name(name, frame, left) || !eval(*s.value, frame, right) || !combine(left, right, result)) return false;
    return assign_name(name, frame, std::move(result));
  }
  Value object, left;
  if (s.target->kind == ExprKind::Attribute) {
    auto& a = as<Attribute>(*s.target);
    if (!eval(*a.value, frame, object)) return false;
    std::string_view name = interpreter_.interner.text(a.attr);
    try {
      left = get_attribute(runtime(), object, name);
    } catch (...) {
      set_raised(a.span, frame);
      return false;
    }
    if (!eval(*s.value, frame, right) || !combine(left, right, result)) return false;
    try {
      set_attribute(runtime(), object, name, result);
      return true;
    } catch (...) {
      set_raised(a.span, frame);
      return false;
    }
  }
  auto& sub = as<Subscript>(*s.target);
  Value index;
  if (!eval(*sub.value, frame, object) || !eval_index(*sub.index, frame, index)) return false;
  auto* list = object.get_if<List>();
  if (list && index.is_int()) {
    std::int64_t i = index.as_int(), n = static_cast<std::int64_t>(list->items.size());
    if (i < 0) i += n;
    if (i >= 0 && i < n) {
      left = list->items[static_cast<std::size_t>(i)];
      if (!eval(*s.value, frame, right) || !combine(left, right, result)) return false;
      if (i < static_cast<std::int64_t>(list->items.size())) list->items[static_cast<std::size_t>(i)] = std::move(result);
      return true;
    }
  }
  try {
    left = get_item(runtime(), object, index);
  } catch (...) {
    set_raised(sub.span, frame);
    return false;
  }
  if (!eval(*s.value, frame, right) || !combine(left, right, result)) return false;
  try {
    set_item(runtime(), object, index, result);
    return true;
  } catch (...) {
    set_raised(s.span, frame);
    return false;
  }
}

bool Evaluator::exec_delete(Expr& target, Frame& frame) {
  try {
    switch (target.kind) {
      case ExprKind::Name: {
        auto& name = as<Name>(target);
        Value* place = nullptr;
        if (name.scope == Scope::Local) place = &frame.slots[name.slot];
        if (name.scope == Scope::Cell) place = &frame.slots[name.slot].as<Cell>().value;
        if (name.scope == Scope::Free) place = &frame.closure[name.slot]->value;
        if (name.scope == Scope::Global) place = &frame.unit->globals.values[name.slot];
        if (place->empty()) return name_error(name, frame);
        if (runtime().captures && name.scope >= Scope::Free && !may_write(name, frame)) return false;
        place->clear();
        return true;
      }
      case ExprKind::Subscript: {
        auto& s = as<Subscript>(target);
        Value object, index;
        if (!eval(*s.value, frame, object) || !eval_index(*s.index, frame, index)) return false;
        delete_item(runtime(), object, index);
        return true;
      }
      case ExprKind::Tuple:
      case ExprKind::List:
        for (Expr* e : as<Sequence>(target).elements)
          if (!exec_delete(*e, frame)) return false;
        return true;
      case ExprKind::Attribute: {
        auto& a = as<Attribute>(target);
        Value object;
        if (!eval(*a.value, frame, object)) return false;
        delete_attribute(runtime(), object, interpreter_.interner.text(a.attr));
        return true;
      }
      default: return true;  // the parser lets nothing else through
    }
  } catch (...) {
    set_raised(target.span, frame);
    return false;
  }
}

// ---- exceptions ----

bool Evaluator::exec_raise(Raise& s, Frame& frame) {
  if (!s.exception) {
    if (handled_.empty()) return raise(Error(ErrorClass::RuntimeError, "No active exception to reraise"), s.span, frame);
    pending_ = handled_.back();
    return false;
  }
  Value exception, cause;
  if (!eval(*s.exception, frame, exception)) return false;
  auto instantiate = [&](Value& value) {
    if (!value.is(runtime::ObjectKind::Callable)) return true;
    Value made;
    frame.call_site = s.span;
    if (!call(value, {}, made)) return false;
    value = std::move(made);
    return true;
  };
  if (!instantiate(exception)) return false;
  if (!exception.is(runtime::ObjectKind::Exception))
    return raise(Error(ErrorClass::TypeError, "exceptions must derive from BaseException"), s.span, frame);
  if (s.cause) {
    if (!eval(*s.cause, frame, cause) || !instantiate(cause)) return false;
    if (!cause.is_none() && !cause.is(runtime::ObjectKind::Exception))
      return raise(Error(ErrorClass::TypeError, "exception causes must derive from BaseException"), s.cause->span, frame);
    exception.as<Exception>().cause = std::move(cause);
  }
  pending_ = std::move(exception);
  pending_.as<Exception>().place.clear();
  add_trace(s.span, frame);
  return false;
}

bool Evaluator::matches(Handler& handler, const Value& exception, Frame& frame, bool& result) {
  result = true;
  if (!handler.type) return true;
  Value type;
  if (!eval(*handler.type, frame, type)) return false;
  auto one = [&](const Value& t) {
    auto* callable = t.get_if<runtime::Callable>();
    auto error_class = callable ? callable->exception_class() : std::nullopt;
    if (!error_class)
      throw Error(ErrorClass::TypeError, "catching classes that do not inherit from BaseException is not allowed");
    return ir::derives(exception.as<Exception>().error_class, *error_class);
  };
  try {
    if (auto* tuple = type.get_if<Tuple>()) {
      result = false;
      for (const Value& t : tuple->items) result |= one(t);
    } else {
      result = one(type);
    }
    return true;
  } catch (...) {
    set_raised(handler.type->span, frame);
    return false;
  }
}

Completion Evaluator::exec_try(Try& s, Frame& frame) {
  // A handler would wait for what is raised when the trace has ended.
  if (runtime().captures && !s.handlers.empty()) {
    try {
      runtime().captures->refuse("handles exceptions");
    } catch (...) {
      set_raised(s.span, frame);
      return Completion::Raise;
    }
  }
  // What an operation raises must be raised inside.
  runtime::Deferral* deferral = runtime().deferral();
  if (deferral) ++deferral->prompt;
  Completion c = exec_block(s.body, frame);
  if (deferral) --deferral->prompt;
  if (c == Completion::Raise && !s.handlers.empty()) {
    Value exception = std::move(pending_);
    // The end of the time cannot be caught.
    bool handled = false;
    if (exception.as<Exception>().code != 704)
      for (Handler& handler : s.handlers) {
        bool match = false;
        if (!matches(handler, exception, frame, match)) {
          handled = true;
          c = Completion::Raise;
          break;
        }
        if (!match) continue;
        handled = true;
        handled_.push_back(exception);
        if (handler.name && !assign_name(*handler.name, frame, exception)) {
          c = Completion::Raise;
        } else {
          c = exec_block(handler.body, frame);
          if (handler.name) assign_name(*handler.name, frame, Value());  // as Python: the name goes with the handler
        }
        handled_.pop_back();
        break;
      }
    if (!handled) pending_ = std::move(exception);
  } else if (c == Completion::Normal) {
    c = exec_block(s.orelse, frame);
  }
  if (s.finalbody.empty()) return c;
  Value saved_exception = std::move(pending_), saved_result = std::move(result_);
  if (c == Completion::Raise) handled_.push_back(saved_exception);  // the context of what the block raises itself
  Completion f = exec_block(s.finalbody, frame);
  if (c == Completion::Raise) handled_.pop_back();
  if (f != Completion::Normal) return f;  // replaces what was on its way
  pending_ = std::move(saved_exception);
  result_ = std::move(saved_result);
  return c;
}

Completion Evaluator::exec_with(With& s, Frame& frame, std::size_t item) {
  if (item == s.items.size()) return exec_block(s.body, frame);
  WithItem& with = s.items[item];
  Value context, entered;
  if (!eval(*with.context, frame, context)) return Completion::Raise;
  runtime::NativeObject* manager = context.get_if<runtime::NativeObject>();
  if (!manager || !manager->is_context_manager()) {
    raise(Error(ErrorClass::TypeError,
                "'" + runtime::type_name(context) + "' object does not support the context manager protocol"),
          with.context->span, frame);
    return Completion::Raise;
  }
  frame.call_site = with.context->span;
  try {
    entered = manager->enter(runtime());
  } catch (...) {
    set_raised(with.context->span, frame);
    return Completion::Raise;
  }
  Completion c = Completion::Normal;
  if (with.target && !assign(*with.target, frame, std::move(entered))) {
    c = Completion::Raise;
  } else {
    c = exec_with(s, frame, item + 1);
  }
  Value saved_exception = std::move(pending_), saved_result = std::move(result_);
  try {
    bool swallow = manager->exit(runtime(), c == Completion::Raise ? saved_exception : Value::none());
    if (c == Completion::Raise && swallow) return Completion::Normal;
  } catch (...) {
    set_raised(with.context->span, frame);
    return Completion::Raise;
  }
  pending_ = std::move(saved_exception);
  result_ = std::move(saved_result);
  return c;
}

// ---- binding names ----

bool Evaluator::may_write(Name& name, Frame& frame) {
  if (name.scope == Scope::Free && runtime().captures->owns(frame.closure[name.slot].get())) return true;
  try {
    runtime().captures->refuse("assigns '" + std::string(interpreter_.interner.text(name.id)) + "', which is not its own");
  } catch (...) {
    set_raised(name.span, frame);
    return false;
  }
}

bool Evaluator::assign_name(Name& name, Frame& frame, Value value) {
  if (value.is(runtime::ObjectKind::Lazy)) [[unlikely]]
    name_lazy(value, name.id);
  switch (name.scope) {
    case Scope::Local: frame.slots[name.slot] = std::move(value); break;
    case Scope::Cell: frame.slots[name.slot].as<Cell>().value = std::move(value); break;
    case Scope::Free:
      if (runtime().captures && !may_write(name, frame)) [[unlikely]]
        return false;
      frame.closure[name.slot]->value = std::move(value);
      break;
    default:
      if (runtime().captures && !may_write(name, frame)) [[unlikely]]
        return false;
      frame.unit->globals.values[name.slot] = std::move(value);
  }
  return true;
}

bool Evaluator::assign(Expr& target, Frame& frame, Value value) {
  switch (target.kind) {
    case ExprKind::Name: return assign_name(as<Name>(target), frame, std::move(value));
    case ExprKind::Tuple:
    case ExprKind::List: return unpack(as<Sequence>(target), frame, value);
    case ExprKind::Subscript: {
      auto& s = as<Subscript>(target);
      Value object_scratch, index_scratch;
      const Value* object = peek(*s.value, frame);
      if (!object) {
        if (!eval(*s.value, frame, object_scratch)) return false;
        object = &object_scratch;
      }
      const Value* index = peek(*s.index, frame);
      if (!index) {
        if (!eval_index(*s.index, frame, index_scratch)) return false;
        index = &index_scratch;
      }
      if (auto* list = object->get_if<List>(); list && index->is_int()) {
        std::int64_t i = index->as_int(), n = static_cast<std::int64_t>(list->items.size());
        if (i < 0) i += n;
        if (i >= 0 && i < n) {
          list->items[static_cast<std::size_t>(i)].swap(value);
          return true;
        }
      }
      try {
        Value held = *object, held_index = *index;  // the callee may rebind the variables
        set_item(runtime(), held, held_index, value);
        return true;
      } catch (...) {
        set_raised(target.span, frame);
        return false;
      }
    }
    case ExprKind::Attribute: {
      auto& a = as<Attribute>(target);
      Value object;
      if (!eval(*a.value, frame, object)) return false;
      try {
        set_attribute(runtime(), object, interpreter_.interner.text(a.attr), value);
        return true;
      } catch (...) {
        set_raised(target.span, frame);
        return false;
      }
    }
    default: return raise(Error(ErrorClass::SystemError, "not a target"), target.span, frame);
  }
}

bool Evaluator::unpack(Sequence& target, Frame& frame, const Value& value) {
  std::vector<Value> collected;
  const std::vector<Value>* items = nullptr;
  if (auto* tuple = value.get_if<Tuple>()) {
    items = &tuple->items;
  } else if (auto* list = value.get_if<List>()) {
    collected = list->items;
    items = &collected;
  } else {
    try {
      collected = collect(runtime(), value);
    } catch (...) {
      set_raised(target.span, frame);
      auto& e = pending_.as<Exception>();
      if (e.error_class == ErrorClass::TypeError && e.args.size() == 1)
        if (auto* text = e.args[0].get_if<runtime::Str>(); text && text->text.ends_with("object is not iterable"))
          e.args[0] = runtime::make_str("cannot unpack non-iterable " + runtime::type_name(value) + " object");
      return false;
    }
    items = &collected;
  }
  std::size_t wanted = target.elements.size(), got = items->size();
  if (!target.starred) {
    if (got > wanted)
      return raise(Error(ErrorClass::ValueError, "too many values to unpack (expected " + std::to_string(wanted) + ")"),
                   target.span, frame);
    if (got < wanted)
      return raise(Error(ErrorClass::ValueError, "not enough values to unpack (expected " + std::to_string(wanted) + ", got " +
                                                     std::to_string(got) + ")"),
                   target.span, frame);
    for (std::size_t i = 0; i < wanted; ++i)
      if (!assign(*target.elements[i], frame, (*items)[i])) return false;
    return true;
  }
  if (got + 1 < wanted)
    return raise(Error(ErrorClass::ValueError, "not enough values to unpack (expected at least " + std::to_string(wanted - 1) +
                                                   ", got " + std::to_string(got) + ")"),
                 target.span, frame);
  std::size_t extra = got - (wanted - 1), at = 0;
  for (Expr* element : target.elements) {
    if (element->kind != ExprKind::Starred) {
      if (!assign(*element, frame, (*items)[at++])) return false;
      continue;
    }
    std::vector<Value> rest(items->begin() + static_cast<std::ptrdiff_t>(at),
                            items->begin() + static_cast<std::ptrdiff_t>(at + extra));
    at += extra;
    if (!assign(*as<Starred>(*element).value, frame, runtime::make_list(std::move(rest)))) return false;
  }
  return true;
}

}  // namespace autoray::frontend
