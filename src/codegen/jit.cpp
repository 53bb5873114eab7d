#include "codegen/jit.h"

#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
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

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdlib>

#include "codegen/build_id.h"
#include "codegen/emit/emit.h"
#include "ir/error.h"
#include "runtime/elementwise/complex_math.h"
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

// Integers have no flags of their own.
extern "C" void autoray_divided_by_zero() { std::feraiseexcept(FE_DIVBYZERO); }

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

// One session of ORC, shared by an Engine's code. The target is there only when something had to be compiled.
struct Jit::Machine {
  Machine();
  ~Machine() { llvm::consumeError(session.endSession()); }

  llvm::orc::ExecutionSession session;
  llvm::orc::ObjectLinkingLayer linker;
  llvm::orc::JITDylib& runtime;  // what code calls
  std::unique_ptr<llvm::TargetMachine> target;
  llvm::TargetMachine& compiler();
};

// Each kernel is a library of its own: it goes with its names.
class Code {
 public:
  Code(std::shared_ptr<Jit::Machine> machine, llvm::orc::JITDylib& library) : machine_(std::move(machine)), library_(library) {}
  ~Code() { llvm::consumeError(machine_->session.removeJITDylib(library_)); }

 private:
  std::shared_ptr<Jit::Machine> machine_;
  llvm::orc::JITDylib& library_;
};

Jit::Jit(const JitOptions& options) : options_(options), cache_(options.cache) {}
Jit::~Jit() = default;

Jit::Machine::Machine()
    : session(
          take(llvm::orc::SelfExecutorProcessControl::Create(nullptr, std::make_unique<llvm::orc::InPlaceTaskDispatcher>()))),
      linker(session),
      runtime(session.createBareJITDylib("runtime")) {
  // An object from the cache that cannot be linked is compiled anew; whoever looks a symbol up is told as well.
  session.setErrorReporter([](llvm::Error error) { llvm::consumeError(std::move(error)); });
  llvm::orc::SymbolMap symbols;
  auto add = [&](const std::string& name, void* address) {
    symbols[session.intern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
  };
  for (int f = 0; f < static_cast<int>(runtime::VectorFunction::Count); ++f)
    for (bool single : {false, true})
      if (void* entry = runtime::vector_entry(static_cast<runtime::VectorFunction>(f), single))
        add(vector_symbol(f, single), entry);
  for (const ir::Op& op : ir::all_ops())
    for (bool single : {false, true})
      if (void* entry = runtime::complex_entry(op.id, single)) add(complex_symbol(static_cast<int>(op.id), single), entry);
  // Where the processor has no instructions for halves.
  add("__truncsfhf2", reinterpret_cast<void*>(+[](float x) { return static_cast<_Float16>(x); }));
  add("__extendhfsf2", reinterpret_cast<void*>(+[](_Float16 x) { return static_cast<float>(x); }));
  add("hypot", reinterpret_cast<void*>(static_cast<double (*)(double, double)>(::hypot)));
  add("hypotf", reinterpret_cast<void*>(static_cast<float (*)(float, float)>(::hypotf)));
  add("fmod", reinterpret_cast<void*>(static_cast<double (*)(double, double)>(::fmod)));
  add("fmodf", reinterpret_cast<void*>(static_cast<float (*)(float, float)>(::fmodf)));
  add("autoray_divided_by_zero", reinterpret_cast<void*>(autoray_divided_by_zero));
  add("autoray_check_access", reinterpret_cast<void*>(autoray_check_access));
  add("memcpy", reinterpret_cast<void*>(static_cast<void* (*)(void*, const void*, std::size_t)>(std::memcpy)));
  add("memset", reinterpret_cast<void*>(static_cast<void* (*)(void*, int, std::size_t)>(std::memset)));
  check(runtime.define(llvm::orc::absoluteSymbols(std::move(symbols))));
}

llvm::TargetMachine& Jit::Machine::compiler() {
  if (target) return *target;
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = take(llvm::orc::JITTargetMachineBuilder::detectHost());
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  // As the linker wants it: calls go through its stubs.
  builder.setRelocationModel(llvm::Reloc::PIC_);
  builder.setCodeModel(llvm::CodeModel::Small);
  builder.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  target = take(builder.createTargetMachine());
  return *target;
}

Jit::Machine& Jit::machine() {
  if (!machine_) machine_ = std::make_shared<Machine>();
  return *machine_;
}

namespace {

std::unique_ptr<llvm::Module> make_module(std::span<const Kernel* const> kernels, std::span<const std::string> names,
                                          llvm::LLVMContext& context, llvm::TargetMachine& target, EmitOptions options) {
  options.fetch_ahead = fetch_ahead(std::string_view(target.getTargetCPU()));
  auto module = std::make_unique<llvm::Module>("kernels", context);
  module->setDataLayout(target.createDataLayout());
  module->setTargetTriple(target.getTargetTriple().str());
  for (std::size_t i = 0; i < kernels.size(); ++i) emit(*kernels[i], *module, names[i], options);
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(*module, &stream)) refused(problem);
  optimise(*module, target);
  return module;
}

constexpr const char* kEntry = "kernel";  // the one function of an object

// What the code of a kernel depends on besides its text. Empty: the program cannot tell itself from another build.
std::string machine_text(bool check_bounds) {
  std::string build = build_id();
  if (build.empty()) return {};
  std::vector<std::string> features;
  for (const auto& [name, there] : llvm::sys::getHostCPUFeatures())
    if (there) features.push_back(name.str());
  std::sort(features.begin(), features.end());
  std::string text = "llvm " LLVM_VERSION_STRING " build " + build + " cpu " + llvm::sys::getHostCPUName().str();
  for (const std::string& f : features) text += " +" + f;
  return text + (check_bounds ? " checked\n" : "\n");
}

}  // namespace

// Throws when the object is none, or calls what is not there.
CompiledKernel Jit::link(std::string_view object) {
  Machine& m = machine();
  llvm::orc::JITDylib& library = m.session.createBareJITDylib("kernel" + std::to_string(linked_++));
  auto code = std::make_shared<Code>(machine_, library);
  library.addToLinkOrder(m.runtime);
  check(m.linker.add(library, llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()), kEntry)));
  auto symbol = take(m.session.lookup({&library}, m.session.intern(kEntry)));
  return {symbol.getAddress().toPtr<KernelFunction>(), std::move(code)};
}

std::string Jit::compile(const Kernel& kernel) {
  llvm::TargetMachine& target = machine().compiler();
  llvm::LLVMContext context;
  EmitOptions options{.vector_bytes = runtime::kVectorBytes, .polls = true, .check_bounds = options_.check_bounds};
  const Kernel* kernels[] = {&kernel};
  const std::string names[] = {kEntry};
  auto module = make_module(kernels, names, context, target, options);
  auto object = take(llvm::orc::SimpleCompiler(target)(*module));
  return object->getBuffer().str();
}

std::vector<CompiledKernel> Jit::compile(std::span<const Kernel* const> kernels, CompileCounts& counts) {
  std::lock_guard lock(mutex_);
  // Texts of code that is gone leave when their number has doubled.
  if (known_.size() >= sweep_at_) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.code.expired(); });
    sweep_at_ = std::max<std::size_t>(256, 2 * known_.size());
  }
  if (!machine_text_) machine_text_ = machine_text(options_.check_bounds);
  std::vector<CompiledKernel> result(kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    std::string text = kernels[i]->text();
    if (auto found = known_.find(text); found != known_.end())
      if (auto code = found->second.code.lock()) {
        result[i] = {found->second.function, std::move(code)};
        continue;
      }
    // Without a name for this build nothing is kept.
    std::string key = machine_text_->empty() ? std::string() : *machine_text_ + text;
    if (auto object = key.empty() ? std::nullopt : cache_.load(key)) {
      try {
        result[i] = link(*object);
        ++counts.cached;
      } catch (const ir::Error&) {
        // Compiled anew, and overwritten.
      }
    }
    if (!result[i].function) {
      std::string object = compile(*kernels[i]);
      result[i] = link(object);
      ++counts.compiled;
      if (!key.empty()) cache_.store(key, object);
    }
    known_[std::move(text)] = {result[i].function, result[i].code};
  }
  return result;
}

std::string Jit::llvm_text(std::span<const Kernel* const> kernels) {
  std::lock_guard lock(mutex_);
  llvm::LLVMContext context;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kernels.size(); ++i) names.push_back("kernel" + std::to_string(i));
  EmitOptions options{.vector_bytes = runtime::kVectorBytes, .polls = true, .check_bounds = options_.check_bounds};
  auto module = make_module(kernels, names, context, machine().compiler(), options);
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return text;
}

}  // namespace autoray::codegen
