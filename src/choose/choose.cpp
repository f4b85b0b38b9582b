#include "choose/choose.h"

#include <algorithm>
#include <array>
#include <utility>

#include "choose/cache_state.h"
#include "choose/extent_chooser.h"
#include "choose/learn.h"
#include "choose/price.h"
#include "hooks/common/rates.h"

namespace grapnel::choose {
namespace {

using hooks::Extent;
using hooks::Hook;
using hooks::HookChoice;
using hooks::Residency;

/// Everything that decide() works on.
class Decider {
 public:
  Decider(std::shared_ptr<const program::Job> job, const program::Program& program,
          const HookRequest& request, unsigned threads, double selectivity)
      : job_(std::move(job)),
        request_(request),
        context_{.job = *job_,
                 .op_shape = op_shape(*job_),
                 .op_class = op_class(*job_),
                 .threads = static_cast<double>(std::max(threads, 1U)),
                 .selectivity = selectivity} {
    const UserLimits& limits = request.limits;
    if (limits.max_cpus > 0) context_.threads = std::min(context_.threads, limits.max_cpus);
    if (limits.polite) file_ = look_at_whole_file(*job_->source);
    context_.program_ns_per_byte =
        hooks::program_rate(program.name()).cpu_ns_per_byte *
        hooks::op_factor(program.name(), context_.op_shape, context_.op_class);
  }

  Result<Decision> decide() {
    const hooks::PageCacheProbe probe(job_->source->file.get());
    decision_.cache = look_at_cache(probe, *job_->source);
    price_all();
    ask_those_needed();
    GRAPNEL_CHECK(honour_request());
    GRAPNEL_CHECK(honour_limits());
    if (forced_ != nullptr) {
      explain_forced();
      choose_forced();
    } else {
      explain_choice();
      choose_by_extent();
    }
    return std::move(decision_);
  }

 private:
  /// --polite: what is not cached needs a hook that goes around the cache; then it is the one for
  /// it.
  [[nodiscard]] bool must_go_around() const {
    return request_.limits.polite && file_ != WholeFile::cached;
  }
  [[nodiscard]] double share() const { return share_or_half(decision_.cache); }
  Candidate& line(const Priced& priced) { return decision_.candidates[priced.line]; }
  [[nodiscard]] const Candidate& line(const Priced& priced) const {
    return decision_.candidates[priced.line];
  }
  [[nodiscard]] bool can(const Priced& priced) const { return line(priced).eligible; }

  void price_all() {
    for (Hook* hook : hooks::hooks_for(*job_->source)) {
      const HookPrice price = price_hook(*hook, context_, share());
      priced_.push_back({hook, decision_.candidates.size(), price.price, Priced::Can::not_asked});
      Candidate candidate;
      candidate.hook = hook->name();
      candidate.cost = price.now;
      candidate.if_cached = price.if_cached;
      candidate.if_uncached = price.if_uncached;
      if (const hooks::Verdict verdict = allowed(*hook, request_.limits, file_); !verdict.yes) {
        candidate.asked = candidate.ruled_out = true;
        candidate.reason = verdict.reason;
        candidate.cure = verdict.cure;
      }
      decision_.candidates.push_back(std::move(candidate));
    }
  }

  void ask(const Priced& priced) {
    Candidate& candidate = line(priced);
    if (candidate.asked) return;
    candidate.asked = true;
    hooks::Verdict verdict = priced.hook->permitted();
    candidate.permitted = verdict.yes;
    if (verdict.yes) {
      const hooks::Verdict eligible = priced.hook->eligible(*job_);
      candidate.eligible = eligible.yes;
      if (!eligible.yes) verdict = eligible;
    }
    candidate.reason = verdict.reason;
    candidate.cure = verdict.cure;
    if (candidate.eligible) candidate.attach_point = priced.hook->attach_point();
  }

  void ask_those_needed() {
    bool named_one_can = false;
    for (const Priced& priced : priced_) {
      const bool named = priced.hook->name() == request_.name;
      if (request_.ask_all || named || &priced == &priced_.front()) ask(priced);
      named_one_can |= named && can(priced);
    }
    if (named_one_can && !(must_go_around() && request_.others_allowed)) return;
    if (decision_.cache.residency != Residency::uncached) ask_until_one_can(1);
    if (decision_.cache.residency != Residency::cached || must_go_around()) ask_until_one_can(0);
  }

  // From the cheapest on; the first of hooks_for() always can, if it may.
  void ask_until_one_can(double cached_share) {
    std::vector<Priced> order;
    for (const Priced& priced : priced_) {
      if (priced.hook->by_default().yes) order.push_back(priced);
    }
    std::stable_sort(order.begin(), order.end(), [&](const Priced& a, const Priced& b) {
      return a.price.at(cached_share) < b.price.at(cached_share);
    });
    for (const Priced& priced : order) {
      ask(priced);
      if (!can(priced)) continue;
      if (cached_share < 1 && must_go_around() && priced.hook->facts().fills_cache) continue;
      return;
    }
  }

  /// Hooks that can and may be taken unasked; not empty after honour_limits().
  [[nodiscard]] std::vector<Priced> usable() const {
    std::vector<Priced> hooks;
    for (const Priced& priced : priced_) {
      if (can(priced) && priced.hook->by_default().yes) hooks.push_back(priced);
    }
    return hooks;
  }

  Status honour_request() {
    if (request_.name.empty()) return ok_status();
    const Candidate* refused = nullptr;
    for (const Priced& priced : priced_) {
      if (priced.hook->name() != request_.name) continue;
      if (can(priced)) {
        forced_ = priced.hook;
        return ok_status();
      }
      refused = &line(priced);
    }
    if (request_.others_allowed) return ok_status();
    Error error;
    error.kind = ErrorKind::hook;
    error.message = "--hook " + request_.name + " cannot do this query";
    if (refused != nullptr) {
      error.message += ": " + refused->reason;
      error.hint = refused->cure;
    } else if (job_->source->remote) {
      error.message += ": the file lies on another machine, and it needs one of this machine";
    } else {
      error.message += ": it brings a server's file here, and this file is here already";
      error.hint = "name the server with --on HOST:PORT";
    }
    if (error.hint.empty()) error.hint = "--hook " + request_.name + ",any permits other hooks";
    return error;
  }

  /// Whether what the limits leave is enough for the whole file.
  Status honour_limits() const {
    if (!request_.limits.polite) return ok_status();
    std::string why;
    for (const Priced& priced : priced_) {
      if (forced_ != nullptr && !request_.others_allowed && priced.hook != forced_) continue;
      if (can(priced) && (!must_go_around() || !priced.hook->facts().fills_cache)) {
        return ok_status();
      }
      why += (why.empty() ? "" : "; ") + std::string(priced.hook->name()) + ": " +
             (can(priced) ? "would fill the page cache" : line(priced).reason);
    }
    return Error{
        ErrorKind::hook,
        "--polite cannot be kept: some of the file is not cached, or it is not known, and no "
        "hook reads around the page cache here (" +
            why + ")",
        "leave --polite away, or bring the file into the cache first", 0, std::nullopt};
  }

  [[nodiscard]] ChooserLimits chooser_limits(bool polite) const {
    return {context_.threads, share(), polite};
  }

  void choose_by_extent() {
    std::vector<Priced> allowed;
    for (Priced priced : priced_) {
      const Candidate& candidate = line(priced);
      if (candidate.ruled_out || !priced.hook->by_default().yes) continue;
      if (candidate.asked) priced.can = candidate.eligible ? Priced::Can::yes : Priced::Can::no;
      allowed.push_back(priced);
    }
    auto chooser = std::make_shared<ExtentChooser>(job_, std::move(allowed),
                                                   chooser_limits(request_.limits.polite));
    decision_.choose = [chooser](const Extent& extent) { return chooser->choose(extent); };
    decision_.observe = [chooser](const hooks::ExtentTime& time) { chooser->observe(time); };
    decision_.corrections = [chooser] { return chooser->corrections(); };
  }

  void choose_forced() {
    HookChoice choice;
    choice.first = forced_;
    for (const Priced& priced : usable()) {
      if (priced.hook != forced_ && request_.others_allowed) {
        choice.fallbacks.push_back(priced.hook);
      }
    }
    if (!must_go_around() || choice.fallbacks.empty()) {
      decision_.choose = [choice, job = job_](const Extent&) { return choice; };
      return;
    }
    // With others allowed the named one comes first where it is polite.
    std::vector<Priced> all;
    for (const Priced& priced : priced_) {
      const bool also = std::find(choice.fallbacks.begin(), choice.fallbacks.end(), priced.hook) !=
                        choice.fallbacks.end();
      if (priced.hook != forced_ && !also) continue;
      all.push_back(priced);
      all.back().can = Priced::Can::yes;
      if (priced.hook == forced_) all.back().price = Price{};
    }
    auto chooser = std::make_shared<ExtentChooser>(job_, std::move(all), chooser_limits(true));
    decision_.choose = [chooser](const Extent& extent) { return chooser->choose(extent); };
  }

  void expect(const hooks::Cost& whole_file, double share) {
    hooks::Cost& cost = decision_.cost;
    cost.wall_seconds += share * whole_file.wall_seconds;
    cost.cpu_seconds += share * whole_file.cpu_seconds;
    cost.device_bytes +=
        static_cast<uint64_t>(share * static_cast<double>(whole_file.device_bytes));
  }

  static std::string note(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

  void explain_choice() {
    const Priced cached = cheapest(1);
    const Priced uncached = cheapest(0);
    line(cached).file_share += share();
    line(uncached).file_share += 1 - share();
    expect(line(cached).if_cached, share());
    expect(line(uncached).if_uncached, 1 - share());
    for (const Priced& priced : priced_) {
      Candidate& candidate = line(priced);
      if (candidate.asked && !candidate.eligible) continue;
      candidate.chosen = candidate.file_share > 0;
      if (!priced.hook->by_default().yes) {
        candidate.reason = priced.hook->by_default().reason;
      } else if (candidate.chosen) {
        candidate.reason = reason_for(priced, cached, uncached) + note(candidate.reason);
      } else {
        candidate.reason = "would be slower" + note(candidate.reason);
      }
    }
    for (const Priced& priced : priced_) {
      if (line(priced).chosen) decision_.setup_seconds += priced.hook->setup_seconds();
    }
    decision_.reason = summary(cached, uncached);
  }

  [[nodiscard]] static std::string reason_for(const Priced& priced, const Priced& cached,
                                              const Priced& uncached) {
    if (cached.hook == uncached.hook) return "cheapest, cached or not";
    return priced.hook == cached.hook ? "cheapest for what is cached"
                                      : "cheapest for what is not cached";
  }

  [[nodiscard]] std::string summary(const Priced& cached, const Priced& uncached) const {
    const std::string first(cached.hook->name());
    const std::string second(uncached.hook->name());
    const std::string state = describe(decision_.cache);
    std::string text;
    if (!request_.name.empty()) text = request_.name + " cannot; ";
    if (first == second) return text + first + ": the cheapest, cached or not; " + state;
    if (decision_.cache.residency == Residency::cached) return text + first + ": " + state;
    if (decision_.cache.residency == Residency::uncached) return text + second + ": " + state;
    return text + first + " for what is cached, " + second + " for the rest: " + state;
  }

  void explain_forced() {
    for (const Priced& priced : priced_) {
      Candidate& candidate = line(priced);
      if (candidate.asked && !candidate.eligible) continue;
      candidate.chosen = priced.hook == forced_;
      candidate.file_share = candidate.chosen ? 1 : 0;
      if (candidate.chosen) {
        decision_.cost = candidate.cost;
        decision_.setup_seconds = priced.hook->setup_seconds();
        candidate.reason = "named by --hook" + note(candidate.reason);
      } else if (!priced.hook->by_default().yes) {
        candidate.reason = priced.hook->by_default().reason;
      } else {
        candidate.reason = request_.others_allowed
                               ? "may take over what " + request_.name + " cannot"
                               : "another hook is named by --hook";
      }
    }
    decision_.reason = request_.name + ": named by --hook" +
                       (request_.others_allowed ? ", others may help" : "") + "; " +
                       describe(decision_.cache);
  }

  [[nodiscard]] Priced cheapest(double cached_share) const {
    std::vector<Priced> hooks = usable();
    if (must_go_around() && cached_share < 1) {
      std::erase_if(hooks, [](const Priced& priced) { return priced.hook->facts().fills_cache; });
    }
    return *std::min_element(hooks.begin(), hooks.end(), [&](const Priced& a, const Priced& b) {
      return a.price.at(cached_share) < b.price.at(cached_share);
    });
  }

  std::shared_ptr<const program::Job> job_;
  const HookRequest& request_;
  PriceContext context_;
  Decision decision_;
  std::vector<Priced> priced_;  ///< all hooks
  Hook* forced_ = nullptr;
  WholeFile file_ = WholeFile::unknown;  ///< looked at for --polite only
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
  error.hint += "; ship for a server's file";
  error.hint += "; --hook X,any lets others take over what X cannot do";
  return error;
}

Result<Decision> decide(std::shared_ptr<const program::Job> job,
                        const std::shared_ptr<const program::Program>& program,
                        const HookRequest& request, unsigned threads, double selectivity) {
  recall();
  return Decider(std::move(job), *program, request, threads, selectivity).decide();
}

std::string pick_of(const Decision& decision) {
  const Candidate* most = nullptr;
  for (const Candidate& candidate : decision.candidates) {
    if (candidate.chosen && (most == nullptr || candidate.file_share > most->file_share)) {
      most = &candidate;
    }
  }
  return most == nullptr ? "" : most->hook;
}

}  // namespace grapnel::choose
