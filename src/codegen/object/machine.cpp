#include "codegen/object/machine.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

#include <algorithm>

#include "ir/error.h"
#include "ir/suggest.h"
#include "runtime/vector_math.h"

namespace autoray::codegen::object {
namespace {

[[noreturn]] void refused(const std::string& what) { throw ir::Error(ir::ErrorClass::SystemError, "code generation: " + what); }
template <class T>
T take(llvm::Expected<T> expected) {
  if (!expected) refused(llvm::toString(expected.takeError()));
  return std::move(*expected);
}

struct Level {
  const char* name;
  int vector_bytes;
};
constexpr Level kLevels[] = {{"x86-64-v2", 16}, {"x86-64-v3", 32}, {"x86-64-v4", 64}};

const llvm::Target& target_of(const std::string& triple) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  std::string problem;
  const auto* target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target) refused(problem);
  return *target;
}

std::unique_ptr<llvm::TargetMachine> target_machine(const Machine& machine) {
  llvm::TargetOptions options;
  // a * b + c keeps its bits.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(target_of(machine.triple)
                                                  .createTargetMachine(machine.triple, machine.cpu, machine.features, options,
                                                                       llvm::Reloc::PIC_, std::nullopt,
                                                                       llvm::CodeGenOptLevel::Default));
}

// The usual passes without those that decide on vectors and copies of loops: kernels say both themselves.
void optimise(llvm::Module& module, llvm::TargetMachine& target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopUnrolling = tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&target, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

// A module with what it lives on.
struct Compiled {
  Compiled(const Function& function, const Machine& machine) : target(target_machine(machine)) {
    module = make_module(function, context, *target, machine);
    std::string problem;
    llvm::raw_string_ostream stream(problem);
    if (llvm::verifyModule(*module, &stream)) refused(problem);
    optimise(*module, *target);
  }
  std::string code(llvm::CodeGenFileType type) {
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    if (target->addPassesToEmitFile(passes, stream, nullptr, type)) refused("this target writes no such file");
    passes.run(*module);
    return {bytes.begin(), bytes.end()};
  }
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> target;
  std::unique_ptr<llvm::Module> module;
};

}  // namespace

std::vector<std::string> cpu_names() {
  std::vector<std::string> names = {"native"};
  for (const Level& level : kLevels) names.emplace_back(level.name);
  return names;
}

Machine find_machine(const std::string& cpu, const std::string& triple) {
  Machine machine;
  llvm::Triple host(llvm::sys::getProcessTriple());
  if (!triple.empty()) {
    llvm::Triple asked(llvm::Triple::normalize(triple));
    if (asked.getArch() != host.getArch() || asked.getOS() != host.getOS() || asked.getEnvironment() != host.getEnvironment())
      throw ir::Error(ir::ErrorClass::ValueError, "objects for '" + triple + "' cannot be made here")
          .with_hint("this autoray compiles for its own kind of machine: " + host.str());
  }
  machine.triple = host.str();
  machine.level = cpu;
  if (cpu == "native") {
    // As wide as the vectors of this program, so that functions of libmvec give the same bits.
    machine.cpu = llvm::sys::getHostCPUName().str();
    for (const auto& [feature, on] : llvm::sys::getHostCPUFeatures())
      machine.features += (machine.features.empty() ? "" : ",") + std::string(on ? "+" : "-") + feature.str();
    machine.vector_bytes = runtime::kVectorBytes;
    return machine;
  }
  for (const Level& level : kLevels)
    if (cpu == level.name) {
      machine.cpu = cpu;
      machine.vector_bytes = level.vector_bytes;
      return machine;
    }
  std::vector<std::string> known = cpu_names();
  std::vector<std::string_view> views(known.begin(), known.end());
  std::string near = ir::did_you_mean(cpu, views), names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  throw ir::Error(ir::ErrorClass::ValueError, "unknown CPU '" + cpu + "'")
      .with_hint(near.empty() ? "the CPUs are " + names : "did you mean '" + near + "'?");
}

std::string llvm_text(const Function& function, const Machine& machine) {
  Compiled compiled(function, machine);
  std::string text;
  llvm::raw_string_ostream stream(text);
  compiled.module->print(stream, nullptr);
  return text;
}
std::string assembly(const Function& function, const Machine& machine) {
  return Compiled(function, machine).code(llvm::CodeGenFileType::AssemblyFile);
}
std::string object_code(const Function& function, const Machine& machine) {
  return Compiled(function, machine).code(llvm::CodeGenFileType::ObjectFile);
}

std::string archive(const Function& function, const Machine& machine) {
  std::string object = object_code(function, machine), name = function.name + ".o";
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(llvm::MemoryBufferRef(object, name));
  auto written = take(llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab, llvm::object::Archive::K_GNU,
                                                 /*Deterministic=*/true, /*Thin=*/false));
  return written->getBuffer().str();
}

std::vector<std::string> undefined_symbols(const std::string& object) {
  auto file = take(llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "object")));
  std::vector<std::string> names;
  for (const llvm::object::SymbolRef& symbol : file->symbols()) {
    if (!(take(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined)) continue;
    std::string name = take(symbol.getName()).str();
    // Not a symbol of a library: the linker's own.
    if (!name.empty() && name != "_GLOBAL_OFFSET_TABLE_") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace autoray::codegen::object
