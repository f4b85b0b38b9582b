#include "choose/choose.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "choose/learn.h"
#include "hooks/common/page_cache.h"
#include "hooks/common/rates.h"

namespace grapnel::choose {
namespace {

using hooks::Extent;
using hooks::Hook;
using hooks::HookChoice;
using hooks::Residency;

// A record that a kernel hook selects is sent to user space and done there.
constexpr double kSelectedNsPerByte = 1.0;

// What using the device for a while is held to cost beside the time that it takes.
constexpr double kDeviceUse = 0.1;

// The cache is asked about all of a small file and about places of a large one.
constexpr uint64_t kAskAllBytes = uint64_t{1} << 30;
constexpr uint64_t kAskedPlaces = 64;
constexpr uint64_t kAskedPlaceBytes = 8 << 20;
constexpr uint64_t kCostSampleBytes = 8 << 20;

/// A hook that can do the job, with its price per byte.
struct Priced {
  Hook* hook = nullptr;
  size_t candidate = 0;  ///< its line in the table
  bool by_default = true;
  double cached_ns = 0;  ///< effective wall time per byte with all threads
  double uncached_ns = 0;

  [[nodiscard]] double price(double cached_share) const {
    return cached_share * cached_ns + (1 - cached_share) * uncached_ns;
  }
};

struct PriceContext {
  const program::Job& job;
  double program_ns;
  double threads;
  double selectivity;
};

double price_of(const Hook& hook, Residency residency, const PriceContext& context) {
  Extent extent;
  extent.end = kCostSampleBytes;
  const hooks::Cost cost = hook.cost(extent, residency, context.job);
  const double to_ns = 1e9 / static_cast<double>(kCostSampleBytes);
  double cpu = cost.cpu_seconds * to_ns;
  if (!hook.in_kernel()) {
    cpu += context.program_ns;
  } else if (!context.job.op->aggregating) {
    cpu += context.selectivity * (kSelectedNsPerByte + context.program_ns);
  }
  // Threads share the device, but each has a CPU. Where the CPU is the bottleneck anyway, the
  // device is still left to others if that costs nothing.
  const double device = cost.device_bytes > 0 ? cost.wall_seconds * to_ns : 0;
  return std::max(device, cpu / context.threads) + kDeviceUse * device;
}

Residency residency_of(double cached_share) {
  if (cached_share >= 0.99) return Residency::cached;
  return cached_share <= 0.01 ? Residency::uncached : Residency::mixed;
}

CacheState look_at_cache(const hooks::PageCacheProbe& probe, const source::Source& source) {
  CacheState state;
  state.how = probe.method_name();
  const uint64_t total = source.data_end - std::min(source.data_begin, source.data_end);
  if (total == 0 || probe.method() == hooks::PageCacheProbe::Method::none) return state;
  const bool all = total <= kAskAllBytes;
  const uint64_t places = all ? 1 : kAskedPlaces;
  const uint64_t size = all ? total : kAskedPlaceBytes;
  double sum = 0;
  for (uint64_t i = 0; i < places; i++) {
    const uint64_t begin =
        source.data_begin + (places == 1 ? 0 : (total - size) / (places - 1) * i);
    const auto share = probe.cached_share(begin, begin + size);
    if (!share) return state;
    sum += *share;
    state.looked_at_bytes += size;
  }
  state.cached_share = sum / static_cast<double>(places);
  state.residency = residency_of(state.cached_share);
  return state;
}

/// Chooses per extent, by what is cached of it now. Shared by all workers.
class ExtentChooser {
 public:
  ExtentChooser(std::shared_ptr<const program::Job> job, std::vector<Priced> priced,
                double share_if_unknown)
      : job_(std::move(job)),
        probe_(job_->source->file.get()),
        priced_(std::move(priced)),
        share_if_unknown_(share_if_unknown) {}

  [[nodiscard]] HookChoice choose(const Extent& extent) const {
    std::vector<Priced> order = priced_;
    HookChoice choice;
    if (order.size() > 1) {
      const auto seen = probe_.cached_share(extent.begin, extent.end);
      if (seen) choice.residency = residency_of(*seen);
      const double share = seen.value_or(share_if_unknown_);
      std::stable_sort(order.begin(), order.end(), [share](const Priced& a, const Priced& b) {
        return a.price(share) < b.price(share);
      });
    }
    choice.first = order.front().hook;
    for (size_t i = 1; i < order.size(); i++) choice.fallbacks.push_back(order[i].hook);
    return choice;
  }

 private:
  std::shared_ptr<const program::Job> job_;
  hooks::PageCacheProbe probe_;
  std::vector<Priced> priced_;
  double share_if_unknown_;
};

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  if (seconds < 1) {
    std::snprintf(text.data(), text.size(), "%.3g ms", seconds * 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.3g s", seconds);
  }
  return text.data();
}

std::string percent_text(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f %%", share * 100);
  return text.data();
}

std::string cache_text(const CacheState& cache) {
  if (cache.residency == Residency::unknown) return "what is cached is unknown";
  if (cache.residency == Residency::cached) return "the file is cached";
  if (cache.residency == Residency::uncached) return "the file is not cached";
  return percent_text(cache.cached_share) + " of the file is cached";
}

/// Everything that decide() works on.
class Decider {
 public:
  Decider(std::shared_ptr<const program::Job> job, const program::Program& program,
          const HookRequest& request, unsigned threads, double selectivity)
      : job_(std::move(job)),
        request_(request),
        context_{*job_, hooks::program_rate(program.name()).cpu_ns_per_byte,
                 static_cast<double>(std::max(threads, 1U)), selectivity} {}

  Result<Decision> decide() {
    const hooks::PageCacheProbe probe(job_->source->file.get());
    decision_.cache = look_at_cache(probe, *job_->source);
    for (Hook* hook : hooks::all_hooks()) judge(*hook);
    GRAPNEL_CHECK(honour_request());
    explain();
    const double share = share_or_half();
    auto chooser = std::make_shared<ExtentChooser>(job_, choosable_, share);
    if (forced_ != nullptr) {
      HookChoice choice;
      choice.first = forced_;
      for (const Priced& priced : choosable_) {
        if (priced.hook != forced_ && request_.others_allowed) {
          choice.fallbacks.push_back(priced.hook);
        }
      }
      decision_.choose = [choice, job = job_](const Extent&) { return choice; };
    } else {
      decision_.choose = [chooser](const Extent& extent) { return chooser->choose(extent); };
    }
    return std::move(decision_);
  }

 private:
  [[nodiscard]] double share_or_half() const {
    return decision_.cache.residency == Residency::unknown ? 0.5 : decision_.cache.cached_share;
  }

  void judge(Hook& hook) {
    Candidate candidate;
    candidate.hook = hook.name();
    hooks::Verdict verdict = hook.permitted();
    candidate.permitted = verdict.yes;
    if (verdict.yes) {
      const hooks::Verdict eligible = hook.eligible(*job_);
      candidate.eligible = eligible.yes;
      if (!eligible.yes) verdict = eligible;
    }
    candidate.reason = verdict.reason;
    candidate.cure = verdict.cure;
    if (candidate.permitted && candidate.eligible) price(hook, candidate);
    decision_.candidates.push_back(std::move(candidate));
  }

  void price(Hook& hook, Candidate& candidate) {
    Priced priced{&hook, decision_.candidates.size(), hook.by_default().yes,
                  price_of(hook, Residency::cached, context_),
                  price_of(hook, Residency::uncached, context_)};
    const source::Source& source = *job_->source;
    Extent whole;
    whole.begin = source.data_begin;
    whole.end = std::max(source.data_begin, source.data_end);
    const auto bytes = static_cast<double>(whole.end - whole.begin);
    const double share = share_or_half();
    const hooks::Cost cached = hook.cost(whole, Residency::cached, *job_);
    const hooks::Cost uncached = hook.cost(whole, Residency::uncached, *job_);
    const auto mix = [share](double a, double b) { return share * a + (1 - share) * b; };
    hooks::Cost& cost = candidate.cost;
    cost.wall_seconds = priced.price(share) * bytes * 1e-9;
    cost.cpu_seconds = mix(cached.cpu_seconds, uncached.cpu_seconds);
    if (!hook.in_kernel()) cost.cpu_seconds += context_.program_ns * bytes * 1e-9;
    cost.device_bytes = static_cast<uint64_t>(
        mix(static_cast<double>(cached.device_bytes), static_cast<double>(uncached.device_bytes)));
    cost.bytes_copied = cached.bytes_copied;
    priced_.push_back(priced);
  }

  Status honour_request() {
    for (const Priced& priced : priced_) {
      if (priced.hook->name() == request_.name) forced_ = priced.hook;
      if (priced.by_default) choosable_.push_back(priced);
    }
    if (request_.name.empty() || forced_ != nullptr || request_.others_allowed) return ok_status();
    Error error;
    error.kind = ErrorKind::hook;
    error.message = "--hook " + request_.name + " cannot do this query";
    for (const Candidate& candidate : decision_.candidates) {
      if (candidate.hook != request_.name) continue;
      error.message += ": " + candidate.reason;
      error.hint = candidate.cure;
    }
    if (error.hint.empty()) error.hint = "--hook " + request_.name + ",any permits other hooks";
    return error;
  }

  void explain() {
    if (forced_ != nullptr) {
      explain_forced();
      return;
    }
    const Priced* best_cached = cheapest(1);
    const Priced* best_uncached = cheapest(0);
    const double share = share_or_half();
    decision_.candidates[best_cached->candidate].file_share += share;
    decision_.candidates[best_uncached->candidate].file_share += 1 - share;
    for (const Priced& priced : priced_) {
      Candidate& candidate = decision_.candidates[priced.candidate];
      candidate.chosen = candidate.file_share > 0;
      if (!priced.by_default) {
        candidate.reason = priced.hook->by_default().reason;
      } else if (candidate.chosen) {
        candidate.reason = reason_for(priced, *best_cached, *best_uncached);
      } else {
        candidate.reason = "would be slower" + note(candidate.reason);
      }
    }
    decision_.reason = summary(*best_cached, *best_uncached);
  }

  static std::string note(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

  [[nodiscard]] std::string reason_for(const Priced& priced, const Priced& best_cached,
                                       const Priced& best_uncached) const {
    if (decision_.cache.residency == Residency::unknown && best_cached.hook != best_uncached.hook) {
      return priced.hook == best_cached.hook ? "for what turns out to be cached"
                                             : "for what turns out not to be cached";
    }
    if (best_cached.hook == best_uncached.hook) return "cheapest, cached or not";
    return priced.hook == best_cached.hook ? "cheapest for the cached part"
                                           : "cheapest for the part that is not cached";
  }

  [[nodiscard]] std::string summary(const Priced& best_cached, const Priced& best_uncached) const {
    const std::string cached(best_cached.hook->name());
    const std::string uncached(best_uncached.hook->name());
    const std::string state = cache_text(decision_.cache);
    if (cached == uncached) return cached + ": the cheapest, cached or not; " + state;
    if (decision_.cache.residency == Residency::cached) return cached + ": " + state;
    if (decision_.cache.residency == Residency::uncached) return uncached + ": " + state;
    return cached + " for cached parts, " + uncached + " for the others: " + state;
  }

  void explain_forced() {
    for (const Priced& priced : priced_) {
      Candidate& candidate = decision_.candidates[priced.candidate];
      candidate.chosen = priced.hook == forced_;
      candidate.file_share = candidate.chosen ? 1 : 0;
      if (candidate.chosen) {
        candidate.reason = "named by --hook" + note(candidate.reason);
      } else {
        candidate.reason = request_.others_allowed
                               ? "may take over what " + request_.name + " cannot"
                               : "another hook is named by --hook";
        if (!priced.by_default) candidate.reason = priced.hook->by_default().reason;
      }
    }
    decision_.reason = request_.name + ": named by --hook" +
                       (request_.others_allowed ? ", others may help" : "") + "; " +
                       cache_text(decision_.cache);
  }

  [[nodiscard]] const Priced* cheapest(double cached_share) const {
    return &*std::min_element(choosable_.begin(), choosable_.end(),
                              [cached_share](const Priced& a, const Priced& b) {
                                return a.price(cached_share) < b.price(cached_share);
                              });
  }

  std::shared_ptr<const program::Job> job_;
  const HookRequest& request_;
  PriceContext context_;
  Decision decision_;
  std::vector<Priced> priced_;  ///< can do it
  std::vector<Priced>
      choosable_;  ///< of those, the ones that may be taken unasked; "read" is there
  Hook* forced_ = nullptr;
};

}  // namespace

Result<HookRequest> parse_hook_request(std::string_view text) {
  HookRequest request;
  if (text.empty() || text == "any") return request;
  const size_t comma = text.find(',');
  request.name = std::string(text.substr(0, comma));
  request.others_allowed = comma != std::string_view::npos;
  const bool rest_good = comma == std::string_view::npos || text.substr(comma + 1) == "any";
  if (rest_good && hooks::find_hook(request.name) != nullptr) return request;
  Error error;
  error.kind = ErrorKind::usage;
  error.message = "--hook " + std::string(text) + ": " +
                  (rest_good ? "there is no such hook" : "after the comma only 'any' can stand");
  error.hint = "hooks of this build:";
  for (const Hook* hook : hooks::all_hooks()) error.hint += " " + std::string(hook->name());
  error.hint += "; --hook X,any lets others take over what X cannot do";
  return error;
}

Result<Decision> decide(std::shared_ptr<const program::Job> job,
                        std::shared_ptr<const program::Program> program, const HookRequest& request,
                        unsigned threads, double selectivity) {
  recall();
  return Decider(std::move(job), *program, request, threads, selectivity).decide();
}

std::string to_text(const Decision& decision) {
  size_t width = 0;
  for (const Candidate& candidate : decision.candidates) {
    width = std::max(width, candidate.hook.size());
  }
  std::string text;
  for (const Candidate& candidate : decision.candidates) {
    if (!text.empty()) text += '\n';
    text += candidate.chosen ? "* " : "  ";
    text += candidate.hook + std::string(width + 2 - candidate.hook.size(), ' ');
    if (!candidate.permitted) {
      text += "not permitted: " + candidate.reason;
    } else if (!candidate.eligible) {
      text += "cannot: " + candidate.reason;
    } else {
      text += "predicted " + seconds_text(candidate.cost.wall_seconds) + ", " +
              percent_text(candidate.file_share) + " of the file: " + candidate.reason;
    }
    if (!candidate.cure.empty()) text += "; " + candidate.cure;
  }
  return text;
}

}  // namespace grapnel::choose
