#include "hooks/kernel/kernel_program.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace grapnel::hooks::kernel {

namespace bpf = lower::bpf;

namespace {

/// Sessions that one load has places for: enough for a scan on a usual machine; each place costs
/// about 2 MB.
constexpr uint32_t kMostSessions = 8;

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

/// The program loaded once, with some places.
struct WorkerPlace::Load {
  bpf::Object object;
  bpf::MapMemory workers;
  bpf::MapMemory out;
  bpf::MapMemory groups;         ///< none if the op has no keys
  std::vector<bpf::Link> links;  ///< go before the object
  std::vector<uint32_t> free_places;
};

WorkerPlace::WorkerPlace(std::shared_ptr<KernelProgram> owner, Load* load, uint32_t number)
    : owner_(std::move(owner)), load_(load), number_(number) {}

WorkerPlace::WorkerPlace(WorkerPlace&& other) noexcept
    : owner_(std::move(other.owner_)),
      load_(std::exchange(other.load_, nullptr)),
      number_(other.number_) {}

WorkerPlace::~WorkerPlace() {
  if (load_ != nullptr) owner_->give_back(*load_, number_);
}

const bpf::Object& WorkerPlace::object() const { return load_->object; }
gr_worker& WorkerPlace::worker() const { return load_->workers.element<gr_worker>(number_); }
const gr_out_area& WorkerPlace::out() const { return load_->out.element<gr_out_area>(number_); }
const gr_group_area* WorkerPlace::groups() const {
  return load_->groups.valid() ? &load_->groups.element<gr_group_area>(number_) : nullptr;
}

KernelProgram::KernelProgram(std::shared_ptr<const program::Job> job, Anchor anchor,
                             bpf::Lowered lowered, std::string btf_path)
    : job_(std::move(job)),
      anchor_(std::move(anchor)),
      lowered_(std::move(lowered)),
      btf_path_(std::move(btf_path)) {}

KernelProgram::~KernelProgram() = default;

Result<std::shared_ptr<KernelProgram>> KernelProgram::make(std::shared_ptr<const program::Job> job,
                                                           Anchor anchor, std::string btf_path) {
  GRAPNEL_TRY(bpf::Lowered lowered, bpf::lower_job(*job, anchor.bitcode));
  return std::shared_ptr<KernelProgram>(new KernelProgram(std::move(job), std::move(anchor),
                                                          std::move(lowered), std::move(btf_path)));
}

Result<std::unique_ptr<WorkerPlace::Load>> KernelProgram::load() const {
  const bool has_groups = !lowered_.plan.keys.empty();
  bpf::LoadOptions options;
  options.name = "grapnel_" + std::string(anchor_.hook);
  options.programs = anchor_.attached;
  options.programs.insert(options.programs.end(), anchor_.loaded.begin(), anchor_.loaded.end());
  options.programs.push_back(anchor_.entry);
  options.btf_path = btf_path_;
  options.map_elements = std::clamp(std::thread::hardware_concurrency(), 1U, kMostSessions) *
                         anchor_.places_per_session;
  if (!has_groups) options.left_out_maps = {bpf::kGroupMap};
  GRAPNEL_TRY(bpf::Object object, bpf::Object::load(lowered_.object, options));
  auto load =
      std::make_unique<WorkerPlace::Load>(WorkerPlace::Load{std::move(object), {}, {}, {}, {}, {}});
  if (load->object.program(anchor_.entry) < 0)
    return Error{ErrorKind::internal, "the compiled BPF object has no program " + anchor_.entry,
                 ""};
  GRAPNEL_TRY(load->workers, load->object.map(bpf::kWorkerMap));
  GRAPNEL_TRY(load->out, load->object.map(bpf::kOutMap));
  if (has_groups) {
    GRAPNEL_TRY(load->groups, load->object.map(bpf::kGroupMap));
  }
  const gr_parameters parameters = lowered_.plan.parameter_block();
  for (uint32_t number = 0; number < options.map_elements; number++) {
    bpf::prepare_worker(load->workers.element<gr_worker>(number), number, parameters);
    load->free_places.push_back(options.map_elements - 1 - number);
  }
  for (const std::string& name : anchor_.attached) {
    GRAPNEL_TRY(bpf::Link link, load->object.attach(name));
    load->links.push_back(std::move(link));
  }
  return load;
}

Result<WorkerPlace> KernelProgram::take_place() {
  GRAPNEL_TRY(std::vector<WorkerPlace> places, take_places(1));
  return std::move(places.front());
}

Result<std::vector<WorkerPlace>> KernelProgram::take_places(uint32_t count) {
  const std::lock_guard lock(mutex_);
  const auto with_room = std::find_if(loads_.begin(), loads_.end(), [&](const auto& load) {
    return load->free_places.size() >= count;
  });
  WorkerPlace::Load* load = with_room == loads_.end() ? nullptr : with_room->get();
  if (load == nullptr) {
    const Stopwatch watch;
    GRAPNEL_TRY(auto made, this->load());
    load_seconds_ += watch.seconds();
    verified_instructions_ = made->object.verified_instructions(anchor_.entry);
    load = loads_.emplace_back(std::move(made)).get();
  }
  std::vector<WorkerPlace> places;
  for (uint32_t i = 0; i < count; i++) {
    places.push_back(WorkerPlace(shared_from_this(), load, load->free_places.back()));
    load->free_places.pop_back();
  }
  return places;
}

void KernelProgram::give_back(WorkerPlace::Load& load, uint32_t number) {
  const std::lock_guard lock(mutex_);
  load.free_places.push_back(number);
}

uint32_t KernelProgram::verified_instructions() const {
  const std::lock_guard lock(mutex_);
  return verified_instructions_;
}

double KernelProgram::take_load_seconds() {
  const std::lock_guard lock(mutex_);
  return std::exchange(load_seconds_, 0);
}

Result<std::shared_ptr<KernelProgram>> ProgramShelf::program_for(
    const std::shared_ptr<const program::Job>& job, const Anchor& anchor,
    const std::string& btf_path) {
  const std::lock_guard lock(mutex_);
  std::erase_if(programs_, [](const auto& program) { return program.expired(); });
  for (const auto& known : programs_) {
    auto program = known.lock();
    if (program && &program->job() == job.get()) return program;
  }
  GRAPNEL_TRY(auto made, KernelProgram::make(job, anchor, btf_path));
  programs_.push_back(made);
  return made;
}

}  // namespace grapnel::hooks::kernel
