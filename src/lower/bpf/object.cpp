#include "lower/bpf/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <utility>

namespace grapnel::lower::bpf {
namespace {

/// What libbpf has to say while this thread loads something; a person sees it only in an error.
thread_local std::string* libbpf_messages = nullptr;

int keep_message(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || libbpf_messages == nullptr) return 0;
  char line[512];
  const int size = vsnprintf(line, sizeof line, format, arguments);
  if (libbpf_messages->size() < 4096) libbpf_messages->append(line);
  return size;
}

class MessageCollector {
 public:
  MessageCollector() {
    static std::once_flag once;
    std::call_once(once, [] { libbpf_set_print(keep_message); });
    libbpf_messages = &messages_;
  }
  ~MessageCollector() { libbpf_messages = nullptr; }
  MessageCollector(const MessageCollector&) = delete;
  MessageCollector& operator=(const MessageCollector&) = delete;
  [[nodiscard]] const std::string& messages() const { return messages_; }

 private:
  std::string messages_;
};

void select_programs(bpf_object* object, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    const bool takes =
        std::find(wanted.begin(), wanted.end(), bpf_program__name(program)) != wanted.end();
    bpf_program__set_autoload(program, takes);
  }
}

constexpr size_t kLogBytes = 16 << 20;

/// The verifier's last words, without its statistics.
std::string last_lines(const std::string& log, size_t count) {
  std::string text = log.c_str();
  if (const size_t statistics = text.find("verification time"); statistics != std::string::npos)
    text.resize(statistics);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t from = text.size();
  while (count > 0 && from > 0) {
    const size_t line = text.rfind('\n', from - 1);
    from = line == std::string::npos ? 0 : line;
    --count;
  }
  std::string lines = text.substr(from);
  for (char& c : lines)
    if (c == '\n') c = ';';
  return lines;
}

Error load_error(int error_number, const std::string& log, const std::string& messages) {
  if (error_number == EPERM && log.empty()) {
    Error error = Error::system("the kernel does not let this user load BPF programs", error_number,
                                "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN");
    error.kind = ErrorKind::permission;
    return error;
  }
  Error error = Error::system("the kernel refused the BPF program", error_number,
                              "use another hook; please report this with the kernel's version");
  error.kind = ErrorKind::hook;
  const std::string why =
      log.empty() ? messages.substr(0, messages.find('\n')) : last_lines(log, 3);
  if (!why.empty()) error.message += " (" + why + ")";
  return error;
}

}  // namespace

MapMemory::MapMemory(MapMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MapMemory& MapMemory::operator=(MapMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MapMemory::~MapMemory() {
  if (data_ != nullptr) munmap(data_, size_);
}

void Object::Closer::operator()(bpf_object* object) const { bpf_object__close(object); }

Result<Object::Handle> Object::open(std::string_view elf, const LoadOptions& options,
                                    std::string* log) {
  bpf_object_open_opts how{};
  how.sz = sizeof how;
  how.object_name = options.name.c_str();
  if (!options.btf_path.empty()) how.btf_custom_path = options.btf_path.c_str();
  if (log != nullptr) {
    how.kernel_log_buf = log->data();
    how.kernel_log_size = log->size();
    how.kernel_log_level = 1;
  }
  Handle handle(bpf_object__open_mem(elf.data(), elf.size(), &how));
  if (!handle)
    return Error{ErrorKind::internal, "libbpf does not understand the compiled object", ""};
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, handle.get()) {
    if (bpf_map__is_internal(map)) continue;
    if (options.map_elements > 0) bpf_map__set_max_entries(map, options.map_elements);
    for (const auto& [name, elements] : options.map_sizes)
      if (name == bpf_map__name(map)) bpf_map__set_max_entries(map, elements);
    for (const std::string& name : options.left_out_maps)
      if (name == bpf_map__name(map)) bpf_map__set_autocreate(map, false);
  }
  select_programs(handle.get(), options.programs);
  return handle;
}

Result<Object> Object::load(std::string_view elf, const LoadOptions& options) {
  MessageCollector collector;
  GRAPNEL_TRY(Handle handle, open(elf, options, nullptr));
  const int failed = bpf_object__load(handle.get());
  if (failed == 0) return Object(std::move(handle));
  // Once more, to hear why: asking for the log in the first place would make every load slower.
  std::string log(kLogBytes, '\0');
  GRAPNEL_TRY(handle, open(elf, options, &log));
  if (bpf_object__load(handle.get()) == 0) return Object(std::move(handle));
  return load_error(-failed, log.c_str(), collector.messages());
}

int Object::program(const std::string& name) const {
  const bpf_program* program = bpf_object__find_program_by_name(handle_.get(), name.c_str());
  return program == nullptr ? -1 : bpf_program__fd(program);
}

void Link::Detacher::operator()(bpf_link* link) const { bpf_link__destroy(link); }

Result<Link> Object::attach(const std::string& name) const {
  MessageCollector collector;
  const bpf_program* program = bpf_object__find_program_by_name(handle_.get(), name.c_str());
  if (program == nullptr)
    return Error{ErrorKind::internal, "the BPF object has no program " + name, ""};
  Link link;
  link.link_.reset(bpf_program__attach(program));
  if (link.link_) return link;
  Error error = Error::system("the kernel did not let the BPF program attach at " +
                                  std::string(bpf_program__section_name(program)),
                              errno, "use another hook");
  error.kind = error.system_errno == EPERM ? ErrorKind::permission : ErrorKind::hook;
  return error;
}

int Object::map_descriptor(const std::string& name) const {
  const bpf_map* map = bpf_object__find_map_by_name(handle_.get(), name.c_str());
  return map == nullptr ? -1 : bpf_map__fd(map);
}

uint32_t Object::verified_instructions(const std::string& name) const {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program(name), &info, &size) != 0) return 0;
  return info.verified_insns;
}

uint64_t Object::missed_runs(const std::string& name) const {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program(name), &info, &size) != 0) return 0;
  return info.recursion_misses;
}

Result<MapMemory> Object::map(const std::string& name) const {
  const bpf_map* map = bpf_object__find_map_by_name(handle_.get(), name.c_str());
  if (map == nullptr) return Error{ErrorKind::internal, "the BPF object has no map " + name, ""};
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t bytes = static_cast<size_t>(bpf_map__value_size(map)) * bpf_map__max_entries(map);
  MapMemory memory;
  memory.size_ = (bytes + page - 1) / page * page;
  void* data = mmap(nullptr, memory.size_, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
  if (data == MAP_FAILED) return Error::system("cannot map the BPF map " + name, errno);
  memory.data_ = data;
  return memory;
}

Result<uint32_t> run_syscall_program(int program, void* context, size_t context_size) {
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.ctx_in = context;
  run.ctx_size_in = static_cast<uint32_t>(context_size);
  if (bpf_prog_test_run_opts(program, &run) != 0) {
    Error error = Error::system("cannot run the BPF program", errno);
    error.kind = ErrorKind::hook;
    return error;
  }
  return run.retval;
}

}  // namespace grapnel::lower::bpf
