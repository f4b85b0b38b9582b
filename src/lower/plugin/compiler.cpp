#include "lower/plugin/compiler.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "lower/codegen/op_generator.h"

namespace grapnel::lower::plugin {
namespace {

Error failure(std::string what) {
  return Error{ErrorKind::internal, "the compiler failed: " + std::move(what),
               "run with GRAPNEL_NATIVE=interpreter (slower, no compiler) and report this"};
}

/// The back end reports errors (stack too large, unsupported call) here and not by results.
class Diagnostics final : public llvm::DiagnosticHandler {
 public:
  explicit Diagnostics(std::string& errors) : errors_(errors) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() != llvm::DS_Error) return true;
    llvm::raw_string_ostream out(errors_);
    llvm::DiagnosticPrinterRawOStream printer(out);
    if (!errors_.empty()) out << "; ";
    info.print(printer);
    return true;
  }

 private:
  std::string& errors_;
};

class Stopwatch {
 public:
  double lap_ms() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> lap = now - last_;
    last_ = now;
    return lap.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// The op gets the attributes of the template's functions: with other target features it would not
/// be inlined.
void copy_target_attributes(const llvm::Module& record_template, llvm::Module& op) {
  for (const llvm::Function& like : record_template) {
    if (like.isDeclaration()) continue;
    for (llvm::Function& function : op) {
      for (const char* name : {"target-cpu", "target-features"}) {
        if (const auto attribute = like.getFnAttribute(name); attribute.isValid())
          function.addFnAttr(attribute);
      }
    }
    return;
  }
}

/// No DWARF, only BTF: the emitter makes no DWARF for a module that asks for CodeView.
void drop_dwarf(llvm::Module& module) {
  llvm::NamedMDNode* flags = module.getModuleFlagsMetadata();
  if (flags == nullptr) return;
  llvm::SmallVector<llvm::MDNode*, 8> kept;
  for (llvm::MDNode* flag : flags->operands()) {
    if (llvm::cast<llvm::MDString>(flag->getOperand(1))->getString() != "Dwarf Version")
      kept.push_back(flag);
  }
  flags->clearOperands();
  for (llvm::MDNode* flag : kept) flags->addOperand(flag);
  module.addModuleFlag(llvm::Module::Warning, "CodeView", 1);
}

/// BTF needs the types and the functions, nobody needs the lines and variables: without them passes
/// and emission take half the time. One location per function is left, as calls must have one.
void drop_locations(llvm::Module& module) {
  for (llvm::Function& function : module) {
    llvm::DISubprogram* subprogram = function.getSubprogram();
    if (subprogram == nullptr) continue;
    const auto* location = llvm::DILocation::get(module.getContext(), 0, 0, subprogram);
    for (llvm::BasicBlock& block : function) {
      for (llvm::Instruction& instruction : llvm::make_early_inc_range(block)) {
        instruction.dropDbgRecords();
        if (llvm::isa<llvm::DbgInfoIntrinsic>(instruction))
          instruction.eraseFromParent();
        else
          instruction.setDebugLoc(location);
      }
    }
  }
}

std::unique_ptr<llvm::TargetMachine> make_target_machine(const llvm::Module& module,
                                                         const Options& options, bool is_bpf,
                                                         std::string& error) {
  const std::string& triple = module.getTargetTriple();
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr) return nullptr;
  // Native: the level's features stand at each function of the template.
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, is_bpf ? options.bpf_cpu : "", "", llvm::TargetOptions(), llvm::Reloc::PIC_,
      is_bpf ? std::nullopt : std::optional(llvm::CodeModel::Small),
      llvm::CodeGenOptLevel::Default));
}

class Optimiser {
 public:
  Optimiser(llvm::TargetMachine& machine, const llvm::PipelineTuningOptions& tuning)
      : builder_(&machine, tuning) {
    builder_.registerModuleAnalyses(modules_);
    builder_.registerCGSCCAnalyses(sccs_);
    builder_.registerFunctionAnalyses(functions_);
    builder_.registerLoopAnalyses(loops_);
    builder_.crossRegisterProxies(loops_, functions_, sccs_, modules_);
  }
  void run(llvm::Module& module, llvm::ModulePassManager passes) { passes.run(module, modules_); }
  llvm::PassBuilder& builder() { return builder_; }

 private:
  llvm::LoopAnalysisManager loops_;
  llvm::FunctionAnalysisManager functions_;
  llvm::CGSCCAnalysisManager sccs_;
  llvm::ModuleAnalysisManager modules_;
  llvm::PassBuilder builder_;
};

/// The part of -O2 that pays for straight-line code out of a template which has been optimised
/// once: half of its time, the same code.
constexpr const char* kNativePasses =
    "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,"
    "instcombine<max-iterations=1;no-verify-fixpoint>,jump-threading,loop-mssa(loop-rotate,licm),"
    "simplifycfg,gvn,"
    "dse,instcombine<max-iterations=1;no-verify-fixpoint>,"
    "simplifycfg<switch-to-lookup;sink-common-insts>),globaldce";

/// First everything is inlined, so that the template sees which columns it is about, then the usual
/// passes. Loops are the template's own: nothing is gained by vectorising or unrolling them again.
void optimise(llvm::Module& module, llvm::TargetMachine& machine, const Plan& plan,
              const Options& options, bool is_bpf) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = false;
  tuning.LoopUnrolling = is_bpf;
  const auto keeps = [&](const llvm::GlobalValue& value) {
    if (value.hasSection() || (is_bpf && llvm::isa<llvm::GlobalVariable>(value))) return true;
    // A subprogram of a BPF template: as a global function it is verified once, on its own.
    const auto* function = llvm::dyn_cast<llvm::Function>(&value);
    if (is_bpf && function != nullptr && function->hasFnAttribute(llvm::Attribute::NoInline))
      return true;
    return std::find(options.keep.begin(), options.keep.end(), value.getName()) !=
           options.keep.end();
  };
  {
    Optimiser first(machine, tuning);
    llvm::ModulePassManager passes;
    passes.addPass(llvm::InternalizePass(keeps));
    passes.addPass(llvm::AlwaysInlinerPass(/*InsertLifetime=*/false));
    passes.addPass(llvm::GlobalDCEPass());
    first.run(module, std::move(passes));
  }
  codegen::fold_shape_calls(plan, module);
  if (options.print_ir == 2) module.print(llvm::errs(), nullptr);
  Optimiser second(machine, tuning);
  llvm::ModulePassManager passes;
  if (is_bpf)
    passes = second.builder().buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
  else
    llvm::cantFail(second.builder().parsePassPipeline(passes, kNativePasses));
  second.run(module, std::move(passes));
}

Result<std::unique_ptr<llvm::Module>> parse(std::string_view bitcode, llvm::LLVMContext& context) {
  auto parsed = llvm::parseBitcodeFile(
      llvm::MemoryBufferRef(llvm::StringRef(bitcode.data(), bitcode.size()), "bitcode"), context);
  if (!parsed) return failure(llvm::toString(parsed.takeError()));
  return std::move(*parsed);
}

}  // namespace

Result<std::string> compile(const Bitcode& bitcode, const Plan& plan, const Options& options,
                            Timings& timings) {
  Stopwatch watch;
  llvm::LLVMContext context;
  std::string errors;
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(errors));
  GRAPNEL_TRY(const auto record_template, parse(bitcode.record_template, context));
  llvm::Module& module = *record_template;
  const bool is_bpf = llvm::Triple(module.getTargetTriple()).isBPF();
  if (is_bpf != (plan.target == Target::bpf)) return failure("template and plan have two targets");
  if (!bitcode.anchor.empty()) {
    GRAPNEL_TRY(auto anchor, parse(bitcode.anchor, context));
    if (llvm::Linker::linkModules(module, std::move(anchor))) return failure("link: " + errors);
  }
  timings.parse_ms = watch.lap_ms();

  auto op = codegen::generate_op(plan, module);
  llvm::raw_string_ostream out(errors);
  if (llvm::verifyModule(*op, &out)) return failure(errors);
  copy_target_attributes(module, *op);
  if (llvm::Linker::linkModules(module, std::move(op))) return failure("link: " + errors);
  if (is_bpf) {
    drop_dwarf(module);
    drop_locations(module);
  }
  timings.generate_ms = watch.lap_ms();

  const auto machine = make_target_machine(module, options, is_bpf, errors);
  if (!machine) return failure(errors);
  optimise(module, *machine, plan, options, is_bpf);
  if (options.print_ir == 1) module.print(llvm::errs(), nullptr);
  for (const llvm::Function& function : module) {
    if (function.isDeclaration() && function.getName().starts_with("gr_"))
      return failure("the template lacks " + function.getName().str());
  }
  timings.optimise_ms = watch.lap_ms();

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream object_out(object);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, object_out, nullptr, llvm::CodeGenFileType::ObjectFile))
    return failure("this target has no object files");
  passes.run(module);
  timings.emit_ms = watch.lap_ms();
  if (!errors.empty()) return failure(errors);
  return std::string(object.data(), object.size());
}

}  // namespace grapnel::lower::plugin
