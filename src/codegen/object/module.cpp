// A function as one LLVM module: kernels of internal linkage, its data, and an entry: a few loops over steps as they are, more
// of them as a table. Then every kernel is called in one place of the entry, so that the code does not grow with the number of
// steps.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "codegen/emit/emit.h"
#include "codegen/object/machine.h"
#include "codegen/object/rolled.h"
#include "runtime/vector_names.h"

namespace autoray::codegen::object {
namespace {

using llvm::Value;

// So few steps are called one after the other, and loops over so few steps are written as loops.
constexpr std::size_t kWrittenOut = 8, kWrittenLoops = 16;

class Lowering {
 public:
  Lowering(const Function& function, llvm::Module& module, const Machine& machine)
      : f_(function), module_(module), context_(module.getContext()), b_(context_), machine_(machine) {}

  void run() {
    kernels();
    entry();
    size_function();
    libmvec_names();
  }

 private:
  llvm::Function* make(const std::string& name, llvm::Type* result, const std::vector<llvm::Type*>& parameters) {
    auto* f = llvm::Function::Create(llvm::FunctionType::get(result, parameters, false), llvm::GlobalValue::ExternalLinkage,
                                     name, module_);
    f->addFnAttr(llvm::Attribute::NoUnwind);
    return f;
  }
  void kernels() {
    EmitOptions options{.vector_bytes = machine_.vector_bytes, .tells_events = false, .fetch_ahead = fetch_ahead(machine_.cpu)};
    for (std::size_t k = 0; k < f_.kernels.size(); ++k) {
      std::string name = "kernel." + std::to_string(k);  // no name of C
      emit(f_.kernels[k], module_, name, options);
      kernels_.push_back(module_.getFunction(name));
      kernels_.back()->setLinkage(llvm::GlobalValue::InternalLinkage);
    }
  }

  // ---- the tables ----

  template <class T>
  llvm::GlobalVariable* table(const std::string& name, const std::vector<T>& items) {
    auto* data = llvm::ConstantDataArray::get(context_, llvm::ArrayRef<T>(items));
    return read_only(name, data, alignof(T));
  }
  llvm::GlobalVariable* read_only(const std::string& name, llvm::Constant* data, std::uint64_t alignment) {
    auto* global = new llvm::GlobalVariable(module_, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data, name);
    global->setAlignment(llvm::Align(alignment));
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return global;
  }
  // Half the size where every number fits.
  struct Numbers {
    llvm::GlobalVariable* global;
    llvm::Type* type;
  };
  Numbers numbers(const std::string& name, const std::vector<std::int64_t>& items) {
    bool narrow = std::all_of(items.begin(), items.end(), [](std::int64_t n) { return n == static_cast<std::int32_t>(n); });
    if (!narrow) return {table(name, std::vector<std::uint64_t>(items.begin(), items.end())), b_.getInt64Ty()};
    std::vector<std::uint32_t> half;
    for (std::int64_t n : items) half.push_back(static_cast<std::uint32_t>(n));
    return {table(name, half), b_.getInt32Ty()};
  }
  Value* item(llvm::Type* type, Value* from, Value* at) {
    Value* v = b_.CreateLoad(type, b_.CreateInBoundsGEP(type, from, at));
    return type->isIntegerTy(64) ? v : b_.CreateSExt(v, b_.getInt64Ty());
  }
  Value* number(std::int64_t n) { return b_.getInt64(static_cast<std::uint64_t>(n)); }

  // ---- the entry ----

  void entry() {
    std::vector<llvm::Type*> types;
    for (const Parameter& p : f_.parameters)
      types.push_back(p.passing == Passing::Value ? b_.getDoubleTy() : static_cast<llvm::Type*>(b_.getPtrTy()));
    types.push_back(b_.getPtrTy());
    function_ = make(f_.name, b_.getInt32Ty(), types);
    b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", function_));
    std::size_t most_buffers = 1, most_numbers = 1;
    for (const Kernel& k : f_.kernels) {
      most_buffers = std::max(most_buffers, k.buffers.size());
      most_numbers = std::max<std::size_t>(most_numbers, k.arguments);
    }
    bases_ = b_.CreateAlloca(b_.getPtrTy(), number(static_cast<std::int64_t>(kFirstParameter + f_.parameters.size())));
    buffers_ = b_.CreateAlloca(b_.getPtrTy(), number(static_cast<std::int64_t>(most_buffers)));
    numbers_ = b_.CreateAlloca(b_.getInt64Ty(), number(static_cast<std::int64_t>(most_numbers)));
    auto* workspace = function_->getArg(static_cast<unsigned>(f_.parameters.size()));
    workspace->setName("workspace");
    set_base(kWorkspace, workspace);
    if (!f_.data.empty()) {
      auto* data =
          llvm::ConstantDataArray::getRaw(llvm::StringRef(f_.data.data(), f_.data.size()), f_.data.size(), b_.getInt8Ty());
      set_base(kData, read_only("data", data, static_cast<std::uint64_t>(kAlignment)));
    }
    for (std::size_t p = 0; p < f_.parameters.size(); ++p) {
      auto* argument = function_->getArg(static_cast<unsigned>(p));
      argument->setName(f_.parameters[p].name);
      Value* address = argument;
      if (f_.parameters[p].passing == Passing::Value) {
        address = b_.CreateAlloca(b_.getDoubleTy());
        b_.CreateStore(argument, address);
      }
      set_base(static_cast<Base>(kFirstParameter + p), address);
    }
    failed_ = llvm::BasicBlock::Create(context_, "failed", function_);
    {
      llvm::IRBuilder<> end(failed_);
      status_ = end.CreatePHI(end.getInt32Ty(), 2);
      end.CreateRet(status_);
    }
    // Kernels become part of it.
    for (llvm::Function* kernel : kernels_)
      if (llvm::Attribute aligned = kernel->getFnAttribute(llvm::Attribute::StackAlignment); aligned.isValid())
        function_->addFnAttr(aligned);
    std::vector<Repeated> loops;
    if (f_.steps.size() > kWrittenOut)
      loops = roll(f_);
    else
      for (std::uint32_t k = 0; k < f_.steps.size(); ++k) loops.push_back({k, 1, 1});
    std::size_t rows = 0;
    for (const Repeated& r : loops) rows += r.period;
    if (rows <= kWrittenLoops)
      for (const Repeated& r : loops) written_out(r);
    else
      from_table(loops);
    b_.CreateRet(b_.getInt32(0));
    if (status_->getNumIncomingValues() == 0) failed_->eraseFromParent();
  }
  void set_base(Base base, Value* address) {
    b_.CreateStore(address, b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), bases_, base));
    addresses_.resize(std::max<std::size_t>(addresses_.size(), base + 1u));
    addresses_[base] = address;
  }
  void call(std::uint32_t kernel) {
    auto* context = llvm::ConstantPointerNull::get(b_.getPtrTy());
    Value* status = b_.CreateCall(kernels_[kernel], {context, buffers_, numbers_});
    auto* next = llvm::BasicBlock::Create(context_, "next", function_);
    status_->addIncoming(status, b_.GetInsertBlock());
    b_.CreateCondBr(b_.CreateICmpEQ(status, b_.getInt32(0)), next, failed_);
    b_.SetInsertPoint(next);
  }
  void give_buffer(std::size_t i, Value* address) {
    b_.CreateStore(address, b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), buffers_, i));
  }
  void give_number(std::size_t i, Value* n) { b_.CreateStore(n, b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), numbers_, i)); }

  // Where a place or a number is in the first turn, and what it grows by from turn to turn.
  struct Moving {
    std::int64_t start, growth;
    Base base = 0;
  };
  std::vector<Moving> moving(const Repeated& r, std::uint32_t k) const {
    const Step &step = f_.steps[r.first + k], &next = f_.steps[r.first + (r.count > 1 ? r.period : 0) + k];
    const Kernel& kernel = f_.kernels[step.kernel];
    std::vector<Moving> all;
    for (std::size_t i = 0; i < kernel.buffers.size(); ++i) {
      const Buffer &at = f_.buffers[step.first_buffer + i], &then = f_.buffers[next.first_buffer + i];
      all.push_back({at.offset, then.offset - at.offset, at.base});
    }
    for (std::size_t i = 0; i < kernel.arguments; ++i) {
      std::int64_t at = f_.numbers[step.first_number + i], then = f_.numbers[next.first_number + i];
      all.push_back({at, then - at});
    }
    return all;
  }

  void written_out(const Repeated& r) {
    auto steps = [&](Value* turn) {
      for (std::uint32_t k = 0; k < r.period; ++k) {
        const std::uint32_t kernel = f_.steps[r.first + k].kernel;
        const std::size_t buffers = f_.kernels[kernel].buffers.size();
        const std::vector<Moving> all = moving(r, k);
        for (std::size_t i = 0; i < all.size(); ++i) {
          Value* now = b_.CreateAdd(number(all[i].start), b_.CreateMul(turn, number(all[i].growth)));
          if (i < buffers)
            give_buffer(i, b_.CreatePtrAdd(addresses_[all[i].base], now));
          else
            give_number(i - buffers, now);
        }
        call(kernel);
      }
    };
    if (r.count == 1)
      steps(number(0));
    else
      loop("turn", number(r.count), steps);
  }

  void from_table(const std::vector<Repeated>& repeated) {
    // All in one function they have no registers left for their loops.
    for (llvm::Function* kernel : kernels_) kernel->addFnAttr(llvm::Attribute::NoInline);
    // Loops over rows; a row is a step of the first turn, with what its places and numbers grow by.
    std::vector<std::uint32_t> loops, rows;
    std::vector<std::uint16_t> bases;
    std::vector<std::int64_t> starts, growths;
    for (const Repeated& r : repeated) {
      loops.insert(loops.end(), {r.count, static_cast<std::uint32_t>(rows.size() / 2), r.period});
      for (std::uint32_t k = 0; k < r.period; ++k) {
        rows.insert(rows.end(), {f_.steps[r.first + k].kernel, static_cast<std::uint32_t>(starts.size())});
        for (const Moving& m : moving(r, k)) {
          bases.push_back(m.base);
          starts.push_back(m.start);
          growths.push_back(m.growth);
        }
      }
    }
    auto count = static_cast<std::int64_t>(loops.size() / 3);
    auto *loops_table = table("loops", loops), *rows_table = table("rows", rows), *bases_table = table("bases", bases);
    Numbers start = numbers("starts", starts), growth = numbers("growths", growths);
    // Unsigned where it counts, so zero-extended.
    auto field = [&](llvm::GlobalVariable* from, Value* at, std::int64_t width, std::int64_t which) {
      Value* place = b_.CreateAdd(b_.CreateMul(at, number(width)), number(which));
      return b_.CreateZExt(b_.CreateLoad(b_.getInt32Ty(), b_.CreateInBoundsGEP(b_.getInt32Ty(), from, place)), b_.getInt64Ty());
    };
    loop("loop", number(count), [&](Value* l) {
      Value *turns = field(loops_table, l, 3, 0), *first = field(loops_table, l, 3, 1), *period = field(loops_table, l, 3, 2);
      loop("turn", turns, [&](Value* turn) {
        loop("step", period, [&](Value* k) {
          Value* row = b_.CreateAdd(first, k);
          Value* operand = field(rows_table, row, 2, 1);
          auto* done = llvm::BasicBlock::Create(context_, "done", function_);
          auto* never = llvm::BasicBlock::Create(context_, "never", function_);
          auto* choice = b_.CreateSwitch(field(rows_table, row, 2, 0), never, static_cast<unsigned>(kernels_.size()));
          for (std::uint32_t kernel = 0; kernel < kernels_.size(); ++kernel) {
            auto* block = llvm::BasicBlock::Create(context_, "kernel", function_);
            choice->addCase(b_.getInt64(kernel), block);
            b_.SetInsertPoint(block);
            step(kernel, operand, turn, bases_table, start, growth);
            b_.CreateBr(done);
          }
          b_.SetInsertPoint(never);
          b_.CreateUnreachable();
          b_.SetInsertPoint(done);
        });
      });
    });
  }
  void step(std::uint32_t kernel, Value* operand, Value* turn, Value* bases, const Numbers& start, const Numbers& growth) {
    std::size_t buffer_count = f_.kernels[kernel].buffers.size(), count = buffer_count + f_.kernels[kernel].arguments;
    for (std::size_t i = 0; i < count; ++i) {
      Value* at = b_.CreateAdd(operand, number(static_cast<std::int64_t>(i)));
      Value* now = b_.CreateAdd(item(start.type, start.global, at), b_.CreateMul(turn, item(growth.type, growth.global, at)));
      if (i >= buffer_count) {
        give_number(i - buffer_count, now);
        continue;
      }
      Value* base =
          b_.CreateZExt(b_.CreateLoad(b_.getInt16Ty(), b_.CreateInBoundsGEP(b_.getInt16Ty(), bases, at)), b_.getInt64Ty());
      Value* address = b_.CreateLoad(b_.getPtrTy(), b_.CreateInBoundsGEP(b_.getPtrTy(), bases_, base));
      give_buffer(i, b_.CreatePtrAdd(address, now));
    }
    call(kernel);
  }
  // for (i = 0; i < count; ++i) body(i)
  void loop(const char* name, Value* count, const std::function<void(Value*)>& body) {
    auto* before = b_.GetInsertBlock();
    auto* head = llvm::BasicBlock::Create(context_, name, function_);
    auto* inside = llvm::BasicBlock::Create(context_, "inside", function_);
    auto* after = llvm::BasicBlock::Create(context_, "after", function_);
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    auto* i = b_.CreatePHI(b_.getInt64Ty(), 2);
    i->addIncoming(number(0), before);
    b_.CreateCondBr(b_.CreateICmpULT(i, count), inside, after);
    b_.SetInsertPoint(inside);
    body(i);
    i->addIncoming(b_.CreateAdd(i, number(1)), b_.GetInsertBlock());
    b_.CreateBr(head);
    b_.SetInsertPoint(after);
  }

  void size_function() {
    auto* f = make(f_.name + "_workspace_size", b_.getInt64Ty(), {});
    b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", f));
    b_.CreateRet(number(f_.workspace_bytes));
  }
  // Kernels call vector functions by numbers of ours; a linker knows them by libmvec's names.
  void libmvec_names() {
    for (int v = 0; v < static_cast<int>(runtime::VectorFunction::Count); ++v)
      for (bool single : {false, true})
        if (auto* declared = module_.getFunction(vector_symbol(v, single)))
          declared->setName(runtime::vector_name(static_cast<runtime::VectorFunction>(v), single, machine_.vector_bytes));
  }

  const Function& f_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> b_;
  const Machine& machine_;
  std::vector<llvm::Function*> kernels_;
  llvm::Function* function_ = nullptr;
  Value *bases_ = nullptr, *buffers_ = nullptr, *numbers_ = nullptr;
  std::vector<Value*> addresses_;  // by base
  llvm::BasicBlock* failed_ = nullptr;
  llvm::PHINode* status_ = nullptr;
};

}  // namespace

std::unique_ptr<llvm::Module> make_module(const Function& function, llvm::LLVMContext& context, llvm::TargetMachine& target,
                                          const Machine& machine) {
  auto module = std::make_unique<llvm::Module>(function.name, context);
  module->setDataLayout(target.createDataLayout());
  module->setTargetTriple(machine.triple);
  module->setPICLevel(llvm::PICLevel::BigPIC);
  Lowering(function, *module, machine).run();
  return module;
}

}  // namespace autoray::codegen::object
