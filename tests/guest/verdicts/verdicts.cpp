// kernel_verdicts FILE: tries what docs/hooks.md says about reading files by dynptr and about
// shrinking what an unmodified reader gets, one BPF program after the other, and prints for each a
// line NAME, a tab, what happened. Touches no other process. Needs root.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "guest/verdicts/verdicts.h"
#include "verdicts_bpf.embed.h"

namespace grapnel {
namespace {

struct Close {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, Close>;

int silent(libbpf_print_level, const char*, va_list) { return 0; }

/// What the verifier said last, on one line.
std::string last_words(const std::string& log) {
  std::string text = log.c_str();
  text.resize(std::min({text.size(), text.find("processed "), text.find("verification time")}));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string errno_text(int error_number) {
  if (error_number == 524) return "ENOTSUPP";
  return strerrorname_np(error_number);
}

class Attempt {
 public:
  Attempt(const char* path, const char* name) : path_(path), name_(name) {}

  /// Loads the program alone; then `attach` makes it run. Says what came of it.
  std::string run(const std::function<std::string(Attempt&, bpf_program*)>& attach) {
    std::string log;
    std::string said = load_and_run(attach, log);
    if (!said.empty()) return said;
    log.resize(16 << 20);  // once more, to hear why: an accepted program's log can be endless
    said = load_and_run(attach, log);
    return said.empty() ? "refused: " + errno_text(load_error_) + " " + last_words(log) : said;
  }

  /// What the programs have written.
  [[nodiscard]] verdict_shared shared() const {
    verdict_shared all{};
    const uint32_t zero = 0;
    bpf_map_lookup_elem(map_, &zero, &all);
    return all;
  }

  /// Our read(), and what the reader sees.
  [[nodiscard]] std::string read_file() const {
    std::vector<char> buffer(VERDICT_READ_BYTES, '-');
    const ssize_t got = read(file_.get(), buffer.data(), buffer.size());
    const bool text = std::memcmp(buffer.data(), VERDICT_TEXT, strlen(VERDICT_TEXT)) == 0;
    return "read() returned " + std::to_string(got) +
           (text ? ", the buffer begins with our text" : ", the buffer does not have our text") +
           ", file position " + std::to_string(lseek(file_.get(), 0, SEEK_CUR)) + ", " +
           std::to_string(shared().runs) + " run(s)";
  }

  [[nodiscard]] std::string sum() const {
    const verdict_shared all = shared();
    return std::to_string(all.runs) + " run(s), " + std::to_string(all.bytes) + " bytes, sum " +
           std::to_string(all.sum) + ", ended by error " + std::to_string(all.error);
  }
  [[nodiscard]] const char* path() const { return path_; }

 private:
  /// Empty if the kernel refuses to load it.
  std::string load_and_run(const std::function<std::string(Attempt&, bpf_program*)>& attach,
                           std::string& log) {
    const auto elf = embedded::verdicts_bpf();
    const Object object(bpf_object__open_mem(elf.data(), elf.size(), nullptr));
    if (!object) return "the object cannot be opened";
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get())
        bpf_program__set_autoload(program, std::string(bpf_program__name(program)) == name_);
    program = bpf_object__find_program_by_name(object.get(), name_);
    if (!log.empty()) {
      bpf_program__set_log_buf(program, log.data(), log.size());
      bpf_program__set_log_level(program, 1);
    }
    load_error_ = -bpf_object__load(object.get());
    if (load_error_ != 0) return {};
    map_ = bpf_map__fd(bpf_object__find_map_by_name(object.get(), "shared"));
    file_ = UniqueFd(open(path_, O_RDONLY | O_CLOEXEC));
    verdict_shared all{};
    all.tgid = static_cast<unsigned>(getpid());
    all.fd = file_.get();
    const uint32_t zero = 0;
    bpf_map_update_elem(map_, &zero, &all, BPF_ANY);
    return attach(*this, program);
  }

  const char* path_;
  const char* name_;
  int load_error_ = 0;
  int map_ = -1;
  UniqueFd file_;
};

using Link = std::unique_ptr<bpf_link, int (*)(bpf_link*)>;

Link attach(bpf_program* program) { return {bpf_program__attach(program), bpf_link__destroy}; }

std::string attach_and_read(Attempt& attempt, bpf_program* program) {
  const Link link = attach(program);
  if (!link) return "loaded, but not attached: " + errno_text(errno);
  return attempt.read_file();
}

std::string attach_and_use(Attempt& attempt, bpf_program* program) {
  const Link link = attach(program);
  if (!link) return "loaded, but not attached: " + errno_text(errno);
  const UniqueFd file(open(attempt.path(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  int bytes = 0;
  if (ioctl(file.get(), FIONREAD, &bytes) != 0 || read(file.get(), &byte, 1) != 1)
    return "the file cannot be read";
  return attempt.sum();
}

std::string iterate(Attempt& attempt, bpf_program* program) {
  const Link link = attach(program);
  if (!link) return "loaded, but not attached: " + errno_text(errno);
  const UniqueFd iterator(bpf_iter_create(bpf_link__fd(link.get())));
  char text[64];
  while (read(iterator.get(), text, sizeof text) > 0) {
  }
  return attempt.sum();
}

std::string run_once(Attempt& attempt, bpf_program* program) {
  uint64_t context = 0;
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.ctx_in = &context;
  run.ctx_size_in = sizeof context;
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &run) != 0) return errno_text(errno);
  return attempt.sum();
}

/// What the sums must be, as far as whole chunks go.
std::string expected_sum(const char* path) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  std::vector<unsigned char> chunk(VERDICT_CHUNK_BYTES);
  uint64_t sum = 0;
  uint64_t bytes = 0;
  for (int i = 0; i < VERDICT_MOST_CHUNKS; i++) {
    if (read(file.get(), chunk.data(), chunk.size()) != VERDICT_CHUNK_BYTES) break;
    for (const unsigned char byte : chunk) sum += byte;
    bytes += chunk.size();
  }
  return std::to_string(bytes) + " bytes, sum " + std::to_string(sum);
}

int run_all(const char* path) {
  libbpf_set_print(silent);
  const struct {
    const char* name;
    std::function<std::string(Attempt&, bpf_program*)> attach;
  } attempts[] = {
      {"fmod_ret_vfs_read", attach_and_read},
      {"fmod_ret_security", attach_and_read},
      {"fmod_ret_sys_read", attach_and_read},
      {"override_sys_read", attach_and_read},
      {"override_end_of_file", attach_and_read},
      {"override_vfs_read", attach_and_read},
      {"fexit_returns", attach_and_read},
      {"write_registers", attach_and_read},
      {"write_buffer", attach_and_read},
      {"dynptr_lsm", attach_and_use},
      {"dynptr_lsm_open", attach_and_use},
      {"dynptr_iter_sleepable", iterate},
      {"dynptr_iter", iterate},
      {"dynptr_fentry", attach_and_use},
      {"dynptr_syscall", run_once},
  };
  std::printf("by read()\t%s\n", expected_sum(path).c_str());
  for (const auto& attempt : attempts) {
    std::printf("%s\t%s\n", attempt.name, Attempt(path, attempt.name).run(attempt.attach).c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace grapnel

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: kernel_verdicts FILE\n");
    return 2;
  }
  return grapnel::run_all(argv[1]);
}
