#include "hooks/pipe/pipe_program.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace grapnel::hooks::pipe {

namespace bpf = lower::bpf;

namespace {

constexpr const char* kEntry = "gr_pipe";
/// Places of one load: enough for a scan on a usual machine; each costs about 2 MB.
constexpr uint32_t kMostPlaces = 8;

}  // namespace

/// The program loaded once, with some places.
struct WorkerPlace::Load {
  bpf::Object object;
  int program = -1;
  bpf::MapMemory workers;
  bpf::MapMemory out;
  bpf::MapMemory groups;  ///< none if the op has no keys
  std::vector<uint32_t> free_places;
};

WorkerPlace::WorkerPlace(std::shared_ptr<PipeProgram> owner, Load* load, uint32_t number)
    : owner_(std::move(owner)), load_(load), number_(number) {}

WorkerPlace::WorkerPlace(WorkerPlace&& other) noexcept
    : owner_(std::move(other.owner_)),
      load_(std::exchange(other.load_, nullptr)),
      number_(other.number_) {}

WorkerPlace::~WorkerPlace() {
  if (load_ != nullptr) owner_->give_back(*load_, number_);
}

int WorkerPlace::program() const { return load_->program; }
gr_worker& WorkerPlace::worker() const { return load_->workers.element<gr_worker>(number_); }
const gr_out_area& WorkerPlace::out() const { return load_->out.element<gr_out_area>(number_); }
const gr_group_area* WorkerPlace::groups() const {
  return load_->groups.valid() ? &load_->groups.element<gr_group_area>(number_) : nullptr;
}

PipeProgram::PipeProgram(std::shared_ptr<const program::Job> job, bpf::Lowered lowered,
                         std::string btf_path)
    : job_(std::move(job)), lowered_(std::move(lowered)), btf_path_(std::move(btf_path)) {}

PipeProgram::~PipeProgram() = default;

Result<std::shared_ptr<PipeProgram>> PipeProgram::make(std::shared_ptr<const program::Job> job,
                                                       std::string btf_path) {
  GRAPNEL_TRY(bpf::Lowered lowered, bpf::lower_job(*job));
  return std::shared_ptr<PipeProgram>(
      new PipeProgram(std::move(job), std::move(lowered), std::move(btf_path)));
}

Result<std::unique_ptr<WorkerPlace::Load>> PipeProgram::load() const {
  const bool has_groups = !lowered_.plan.keys.empty();
  bpf::LoadOptions options;
  options.name = "grapnel_pipe";
  options.btf_path = btf_path_;
  options.map_elements = std::clamp(std::thread::hardware_concurrency(), 1U, kMostPlaces);
  if (!has_groups) options.left_out_maps = {bpf::kGroupMap};
  GRAPNEL_TRY(bpf::Object object, bpf::Object::load(lowered_.object, options));
  auto load =
      std::make_unique<WorkerPlace::Load>(WorkerPlace::Load{std::move(object), -1, {}, {}, {}, {}});
  load->program = load->object.program(kEntry);
  if (load->program < 0)
    return Error{ErrorKind::internal, "the compiled BPF object has no program for the pipe", ""};
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
  return load;
}

Result<WorkerPlace> PipeProgram::take_place() {
  const std::lock_guard lock(mutex_);
  const auto with_room = std::find_if(loads_.begin(), loads_.end(),
                                      [](const auto& load) { return !load->free_places.empty(); });
  WorkerPlace::Load* load = with_room == loads_.end() ? nullptr : with_room->get();
  if (load == nullptr) {
    GRAPNEL_TRY(auto made, this->load());
    load = loads_.emplace_back(std::move(made)).get();
  }
  const uint32_t number = load->free_places.back();
  load->free_places.pop_back();
  return WorkerPlace(shared_from_this(), load, number);
}

void PipeProgram::give_back(WorkerPlace::Load& load, uint32_t number) {
  const std::lock_guard lock(mutex_);
  load.free_places.push_back(number);
}

uint32_t PipeProgram::verified_instructions() const {
  const std::lock_guard lock(mutex_);
  return loads_.empty() ? 0 : loads_.front()->object.verified_instructions(kEntry);
}

}  // namespace grapnel::hooks::pipe
