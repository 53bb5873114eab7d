#include "codegen/jit.h"

#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <cmath>
#include <cstdlib>

#include "codegen/emit.h"
#include "ir/error.h"
#include "runtime/vector_math.h"

namespace autoray::codegen {
namespace {

[[noreturn]] void refused(const std::string& what) { throw ir::Error(ir::ErrorClass::SystemError, "code generation: " + what); }
void check(llvm::Error error) {
  if (error) refused(llvm::toString(std::move(error)));
}
template <class T>
T take(llvm::Expected<T> expected) {
  if (!expected) refused(llvm::toString(expected.takeError()));
  return std::move(*expected);
}

// Called by code that checks its accesses.
extern "C" char* autoray_check_access(Context* context, std::int64_t buffer, char* pointer, std::int64_t bytes) {
  const Limits& limits = context->limits[buffer];
  if (pointer >= limits.begin && pointer + bytes <= limits.end) return pointer;
  if (context->failed_buffer < 0) context->failed_buffer = buffer;
  return context->nowhere;
}

// A short pipeline: the code is vectorised as it is written, so that what is left is common subexpressions (loads that two
// nests share), address arithmetic, and loop-invariant loads.
void optimise(llvm::Module& module, llvm::TargetMachine& target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&target);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::EarlyCSEPass(false));
  passes.addPass(llvm::SimplifyCFGPass());
  for (llvm::Function& f : module)
    if (!f.isDeclaration()) passes.run(f, functions);
}

}  // namespace

// One LLJIT, shared by an Engine's code.
struct Jit::Machine {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::unique_ptr<llvm::TargetMachine> target;
};

class Code {
 public:
  Code(std::shared_ptr<Jit::Machine> machine, llvm::orc::ResourceTrackerSP tracker)
      : machine_(std::move(machine)), tracker_(std::move(tracker)) {}
  ~Code() { llvm::consumeError(tracker_->remove()); }

 private:
  std::shared_ptr<Jit::Machine> machine_;
  llvm::orc::ResourceTrackerSP tracker_;
};

Jit::Jit(const JitOptions& options) : options_(options) {}
Jit::~Jit() = default;

Jit::Machine& Jit::machine() {
  if (machine_) return *machine_;
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = take(llvm::orc::JITTargetMachineBuilder::detectHost());
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  builder.setRelocationModel(llvm::Reloc::Static);
  builder.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  auto machine = std::make_shared<Machine>();
  machine->target = take(builder.createTargetMachine());
  machine->jit = take(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
  llvm::orc::SymbolMap symbols;
  auto add = [&](const std::string& name, void* address) {
    symbols[machine->jit->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
  };
  for (int f = 0; f < static_cast<int>(runtime::VectorFunction::Count); ++f)
    for (bool single : {false, true})
      if (void* entry = runtime::vector_entry(static_cast<runtime::VectorFunction>(f), single))
        add(vector_symbol(f, single), entry);
  add("hypot", reinterpret_cast<void*>(static_cast<double (*)(double, double)>(::hypot)));
  add("hypotf", reinterpret_cast<void*>(static_cast<float (*)(float, float)>(::hypotf)));
  add("fmod", reinterpret_cast<void*>(static_cast<double (*)(double, double)>(::fmod)));
  add("fmodf", reinterpret_cast<void*>(static_cast<float (*)(float, float)>(::fmodf)));
  add("autoray_check_access", reinterpret_cast<void*>(autoray_check_access));
  add("memcpy", reinterpret_cast<void*>(static_cast<void* (*)(void*, const void*, std::size_t)>(std::memcpy)));
  add("memset", reinterpret_cast<void*>(static_cast<void* (*)(void*, int, std::size_t)>(std::memset)));
  check(machine->jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols))));
  machine_ = std::move(machine);
  return *machine_;
}

namespace {

std::unique_ptr<llvm::Module> make_module(std::span<const Kernel* const> kernels, std::span<const std::string> names,
                                          llvm::LLVMContext& context, const llvm::DataLayout& layout, const std::string& triple,
                                          llvm::TargetMachine& target, const EmitOptions& options) {
  auto module = std::make_unique<llvm::Module>("kernels", context);
  module->setDataLayout(layout);
  module->setTargetTriple(triple);
  for (std::size_t i = 0; i < kernels.size(); ++i) emit(*kernels[i], *module, names[i], options);
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(*module, &stream)) refused(problem);
  optimise(*module, target);
  return module;
}

}  // namespace

std::vector<CompiledKernel> Jit::compile(std::span<const Kernel* const> kernels, std::size_t* fresh) {
  std::lock_guard lock(mutex_);
  // Texts of code that is gone leave when their number has doubled.
  if (known_.size() >= sweep_at_) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.code.expired(); });
    sweep_at_ = std::max<std::size_t>(256, 2 * known_.size());
  }
  std::vector<CompiledKernel> result(kernels.size());
  std::vector<std::string> texts, names;
  std::vector<const Kernel*> todo;
  std::vector<std::size_t> places;
  std::unordered_map<std::string, std::size_t> twice;
  std::vector<std::pair<std::size_t, std::size_t>> copies;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    std::string text = kernels[i]->text();
    if (auto found = known_.find(text); found != known_.end()) {
      if (auto code = found->second.code.lock()) {
        result[i] = {found->second.function, std::move(code)};
        continue;
      }
      known_.erase(found);
    }
    if (auto [seen, first] = twice.try_emplace(text, i); !first) {
      copies.emplace_back(i, seen->second);
      continue;
    }
    names.push_back("k" + std::to_string(modules_) + "_" + std::to_string(todo.size()));
    todo.push_back(kernels[i]);
    texts.push_back(std::move(text));
    places.push_back(i);
  }
  if (fresh) *fresh = todo.size();
  if (!todo.empty()) {
    ++modules_;
    Machine& m = machine();
    auto context = std::make_unique<llvm::LLVMContext>();
    EmitOptions options{runtime::kVectorBytes, options_.check_bounds};
    auto module =
        make_module(todo, names, *context, m.jit->getDataLayout(), m.jit->getTargetTriple().str(), *m.target, options);
    auto tracker = m.jit->getMainJITDylib().createResourceTracker();
    auto code = std::make_shared<Code>(machine_, tracker);
    check(m.jit->addIRModule(tracker, llvm::orc::ThreadSafeModule(std::move(module), std::move(context))));
    for (std::size_t k = 0; k < todo.size(); ++k) {
      auto address = take(m.jit->lookup(names[k]));
      result[places[k]] = {address.toPtr<KernelFunction>(), code};
      known_[std::move(texts[k])] = {result[places[k]].function, code};
    }
  }
  for (auto [to, from] : copies) result[to] = result[from];
  return result;
}

std::string Jit::llvm_text(std::span<const Kernel* const> kernels) {
  std::lock_guard lock(mutex_);
  Machine& m = machine();
  llvm::LLVMContext context;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kernels.size(); ++i) names.push_back("kernel" + std::to_string(i));
  EmitOptions options{runtime::kVectorBytes, options_.check_bounds};
  auto module =
      make_module(kernels, names, context, m.jit->getDataLayout(), m.jit->getTargetTriple().str(), *m.target, options);
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return text;
}

}  // namespace autoray::codegen
